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
FUZZ_TARGETS = event key token pattern bundle policy

# What is deployed is named, and never the sample by default.
said = @test '$(origin $(1))' != file || { echo "make $@: say $(1)=..., which is meant" >&2; exit 2; }

.PHONY: backtest-million bench bench-peers help run build test lint package deploy attach detach smoke runtimes browser fixtures fuzz clean

help: ## List the targets.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

run: ## Serve a local distribution with a ready policy, keys and tokens, and print curl lines that work.
	cargo run --release --locked --package authorizer-cli -- serve --sample .local --listen $(LISTEN)

build: ## Build the command line, target/release/authorizer.
	cargo build --release --locked --package authorizer-cli

test: runtimes browser ## Run every test.
	tests/tools/infra/install
	tests/tools/checkov/install
	tests/tools/ministack/install
	tests/tools/terraform/install
	tests/tools/examples/install
	tests/tools/sdk/install
	tests/tools/providers/install
	tests/tools/peers/install
	cargo test --locked --workspace --exclude authorizer-cedar
	cargo test --locked --package authorizer-cedar

lint: ## Check the format, and every lint.
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings

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
	cargo install cargo-fuzz --locked --quiet --root .tools/cargo-fuzz
	cd tests/fuzz && for target in $(FUZZ_TARGETS); do \
		mkdir -p corpus/$$target && \
		seeds=; case $$target in event) seeds="../../fixtures/events ../../fixtures/requests/events";; policy) seeds=../../fixtures/policies;; esac; \
		PATH="$$PWD/../../.tools/cargo-fuzz/bin:$$PATH" cargo +nightly fuzz run $$target corpus/$$target $$seeds \
			-- -max_total_time=$(FUZZ_SECONDS) -max_len=8192 || exit 1; \
	done

backtest-million: ## Hold logs of a million lines against a policy, and print how fast that goes.
	BACKTEST_LINES=1000000 cargo test --release --locked --package authorizer-cli --test backtest_million -- \
		--nocapture --test-threads 1

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
