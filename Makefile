# What a person runs from a fresh clone: `make run`, `make test`; `make help` lists the rest.

POLICY ?= fixtures/policies/sample.toml
PACKAGE ?= dist/authorizer.zip
# How long Criterion measures each thing: this gives all of it in about a quarter of an hour.
BENCH ?= --noplot --warm-up-time 1 --measurement-time 3
# More for `make bench-peers`.
PEERS ?=
# --bundled-keys-only: a smaller function, for policies without `jwks.url`.
EDGE ?=
AUTHORIZER = target/release/authorizer
BEHAVIOR ?= all
LISTEN ?= 127.0.0.1:8080
FUZZ_SECONDS ?= 60
MSRV = $(shell sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)

# What is deployed is named, and never the sample by default.
said = @test '$(origin $(1))' != file || { echo "make $@: say $(1)=..., which is meant" >&2; exit 2; }

.PHONY: $(shell sed -n 's/^\([a-z-]*\):.*/\1/p' $(firstword $(MAKEFILE_LIST)))

help: ## List the targets.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

run: ## Serve a local distribution with a ready policy, keys and tokens, and print curl lines that work.
	cargo run --release --locked --package authorizer-cli -- serve --sample .local --listen $(LISTEN)

build: ## Build the command line, target/release/authorizer.
	cargo build --release --locked --package authorizer-cli

test: ## Run every test, and install what they need first. Which to run when: CONTRIBUTING.md.
	tests/run

test-fast: ## Run the tests that need only the Rust toolchain: no installer, no network. Random tests run a tenth of their cases.
	RANDOM_CASES=$${RANDOM_CASES:-10} tests/run fast

test-runtimes: ## Run the tests of the package under AWS's own runtime clients.
	tests/run runtimes

test-providers: ## Run the tests with identity providers and AWS's SDKs.
	tests/run providers

test-browser: ## Run the tests in Chromium.
	tests/run browser

test-infra: ## Run the tests of infra: cfn-lint, checkov, an emulator of AWS, Terraform.
	tests/run infra

lint: ## Check the format, every lint, the documentation, the spelling and the scripts.
	cargo fmt --all --check
	cargo fmt --manifest-path tests/fuzz/Cargo.toml --check
	rustfmt --edition 2024 --check $$(git ls-files 'authorizer/findings/src/*/checks/*.rs')
	cargo clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --workspace --no-deps --quiet
	tests/tools/lint/msrv
	tests/tools/lint/run

msrv: ## Compile everything with the oldest Rust that Cargo.toml allows, which rustup must have installed.
	cargo +$(MSRV) check --locked --workspace --all-targets

deny: ## Check licences, bans and sources of all dependencies with cargo-deny, which is built first.
	cargo install cargo-deny --locked --quiet --root .tools/cargo-deny
	.tools/cargo-deny/bin/cargo-deny --all-features check bans licenses sources

generate: ## Write anew what comes from the code: the command line reference, the pages of findings, the reason words.
	UPDATE_DOCS=1 cargo test --locked --package authorizer-cli --test it -- generated:: backtest::

package: ## Build the function and make the zip to deploy, from POLICY into PACKAGE.
	bootstrap=$$(authorizer/edge/build $(EDGE)) && \
	cargo run --release --locked --package authorizer-cli -- \
		package --policy $(POLICY) --bootstrap "$$bootstrap" --out $(PACKAGE)

deploy: build ## Check POLICY, its tests and its findings, make the package and deploy it: CODE_BUCKET=NAME, as infra/deploy says.
	$(call said,POLICY)
	@test -n "$$CODE_BUCKET" || { echo "make deploy: say CODE_BUCKET=..., where the zip goes" >&2; exit 2; }
	$(AUTHORIZER) check $(POLICY)
	$(AUTHORIZER) test --policy $(POLICY)
	$(AUTHORIZER) audit findings --fail-on high $(POLICY)
	$(MAKE) package
	infra/deploy $(PACKAGE)

attach: build ## Put FUNCTION_ARN on BEHAVIOR of DISTRIBUTION_ID, as POLICY needs it.
	$(call said,POLICY)
	infra/attach $(DISTRIBUTION_ID) --function-arn $(FUNCTION_ARN) --behavior '$(BEHAVIOR)' --policy $(POLICY) $(ATTACH)

detach: build ## Take FUNCTION_ARN off BEHAVIOR of DISTRIBUTION_ID.
	infra/attach --detach $(DISTRIBUTION_ID) --function-arn $(FUNCTION_ARN) --behavior '$(BEHAVIOR)' $(DETACH)

smoke: ## Ask URL for what USER_TOKEN may do below FOLDER and OTHER_TOKEN may not: as infra/smoke says.
	infra/smoke $(URL) $(FOLDER) $(USER_TOKEN) $(OTHER_TOKEN)

runtimes: ## Install AWS's own runtime clients into .tools/runtimes.
	tests/tools/runtimes/install

browser: ## Install what drives Chromium into .tools/browser, and Chromium where that is allowed.
	tests/tools/browser/install

fixtures: ## Make the events and outcomes of the cases of fixtures anew, with new keys.
	cargo run --locked --package authorizer-e2e --bin make-fixtures

fuzz: ## Fuzz every input that comes from outside, FUZZ_SECONDS each; needs a nightly toolchain.
	FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz/run

backtest-million: ## Hold logs of a million lines against a policy, and print how fast that goes.
	BACKTEST_LINES=1000000 cargo test --release --locked --package authorizer-cli --test it -- \
		backtest_million:: --nocapture --test-threads 1

bench: ## Measure decisions, the command line and the function beside its peers, as docs/performance.md says, and print tables.
	cargo bench --locked --profile edge --package authorizer-core --bench decision -- $(BENCH)
	cargo bench --locked --package authorizer-cli --bench scale -- $(BENCH)
	cargo test --locked --package authorizer-core --test allocations -- --nocapture --test-threads 1
	tests/bench/tables
	$(MAKE) bench-peers

bench-peers: runtimes ## Measure the function beside handlers with aws-jwt-verify and jose: PEERS="--json FILE", or as tests/peers says.
	tests/tools/peers/install
	cargo run --release --locked --package authorizer-peers -- $(PEERS)

clean: ## Remove what was built; what was installed and what `make run` made stay.
	cargo clean
	rm -rf dist
