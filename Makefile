# Commands for a fresh clone: `make run`, `make test`; `make help` lists the rest.

POLICY ?= fixtures/policies/sample.toml
PACKAGE ?= dist/authorizer.zip
# Criterion's measuring time, for each of its benches.
BENCH ?= --noplot --warm-up-time 0.5 --measurement-time 2
# More arguments for `make bench-peers`.
PEERS ?=
# More arguments for `make bench-serve`.
LOAD ?=
# For `make soak`, and more arguments for it.
MINUTES ?= 10
SOAK ?=
# More arguments for `make bench-counts`.
COUNTS ?=
# The build of the function, `small` or `fast`; without it, the one that POLICY takes.
BUILD ?=
# How the managed runtime hands over: exec, or library (docs/deploy.md).
HAND_OVER ?= exec
AUTHORIZER = target/release/authorizer
BEHAVIOR ?= all
LISTEN ?= 127.0.0.1:8080
# More arguments for `make run`, such as --tls.
SERVE ?=
FUZZ_SECONDS ?= 60
MSRV = $(shell sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)

# The policy to deploy must be named: the sample is never the default.
said = @test -n "$($(1))" && test '$(origin $(1))' != file || { echo "make $@: set $(1)=... (it has no default)" >&2; exit 2; }

.PHONY: $(shell sed -n 's/^\([a-z-]*\):.*/\1/p' $(firstword $(MAKEFILE_LIST)))

help: ## List the targets.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

run: ## Serve a local distribution with a sample policy, keys and tokens, and print working curl commands.
	cargo run --release --locked --package authorizer-cli -- serve --sample .local --listen $(LISTEN) $(SERVE)

build: ## Build the command line, target/release/authorizer.
	cargo build --release --locked --package authorizer-cli

test: ## Install what the tests need, and run all of them. When to run which: CONTRIBUTING.md.
	tests/run

# `tests` is a folder, and make would say that there is nothing to do for it.
tests: test

test-fast: ## Run the tests that need only the Rust toolchain, without installers and network. Random tests run a tenth of their cases.
	RANDOM_CASES=$${RANDOM_CASES:-10} tests/run fast

test-runtimes: ## Run the tests of the package under AWS's own runtime clients.
	tests/run runtimes

test-providers: ## Run the tests with identity providers and AWS's SDKs.
	tests/run providers

test-browser: ## Run the tests in Chromium.
	tests/run browser

test-infra: ## Run the tests of infra: cfn-lint, checkov, an emulator of AWS, Terraform.
	tests/run infra

test-random: ## Run the random tests of the analysis and of Cedar with all of their cases; continuous integration tries 60 %.
	cargo test --locked --package authorizer-analysis --test it
	tests/run cedar

lint: ## Check the format, the lints, the documentation, the spelling, the scripts and the workflows.
	cargo fmt --all --check
	cargo fmt --manifest-path tests/fuzz/Cargo.toml --check
	cargo fmt --manifest-path tests/tools/sdk-rust/Cargo.toml --check
	cargo fmt --manifest-path tests/tools/s3-suite/Cargo.toml --check
	rustfmt --edition 2024 --check $$(git ls-files 'authorizer/findings/src/*/checks/*.rs')
	cargo clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --workspace --no-deps --quiet
	tests/tools/lint/msrv
	tests/tools/lint/run

msrv: ## Compile everything with the oldest Rust that Cargo.toml allows, which rustup must have installed.
	cargo +$(MSRV) check --locked --workspace --all-targets

deny: ## Build cargo-deny, and check the licences, bans and sources of all dependencies.
	cargo install cargo-deny --locked --quiet --root .tools/cargo-deny
	.tools/cargo-deny/bin/cargo-deny --all-features check bans licenses sources

generate: ## Write the generated pages: the command line reference, the pages of findings, the reason words, the picture of the README, the tables of infra.
	UPDATE_DOCS=1 cargo test --locked --package authorizer-cli --test it -- generated:: backtest::
	UPDATE_DOCS=1 cargo test --locked --package authorizer-e2e --test it -- in_its_readme in_the_table_of_the_readme the_picture_of_the_readme

docs: ## Make the site of the documentation in dist/site/VERSION; it needs no network and no server to read.
	docs/build

package: ## Build the function, and make the zip PACKAGE with POLICY. HAND_OVER=library: for a Python handler that stays.
	$(MAKE) build
	build='$(BUILD)'; \
	build=$${build:-$$($(AUTHORIZER) package --policy $(POLICY) --print-build)} && \
	bootstrap=$$(authorizer/edge/build "$$build" $(filter library,$(HAND_OVER))) && \
	$(AUTHORIZER) package --policy $(POLICY) --hand-over '$(HAND_OVER)' --bootstrap "$$bootstrap" --out $(PACKAGE)

dist: ## Make the archive of a release: dist/authorizer-VERSION-TARGET.tar.gz. For another platform: DIST_TARGET=aarch64-unknown-linux-gnu
	authorizer/cli/release/build

deploy: ## Check POLICY, its tests and its findings, make the package, deploy and prove it. Needs CODE_BUCKET=NAME; see infra/deploy.
	$(call said,POLICY)
	@test -n "$$CODE_BUCKET" || { echo "make deploy: set CODE_BUCKET=... (the bucket for the zip)" >&2; exit 2; }
	$(MAKE) build
	$(AUTHORIZER) check $(POLICY)
	$(AUTHORIZER) test --policy $(POLICY)
	$(AUTHORIZER) audit findings $(POLICY)
	$(MAKE) package
	infra/deploy $(PACKAGE)

prove: ## Invoke FUNCTION_ARN, a published version of PACKAGE, and compare it with replay; see infra/prove.
	$(call said,FUNCTION_ARN)
	$(MAKE) build
	infra/prove $(FUNCTION_ARN) --package '$(PACKAGE)' $(PROVE_ARGUMENTS)

attach: ## Prove FUNCTION_ARN, and attach it to BEHAVIOR of DISTRIBUTION_ID, with the settings that POLICY needs.
	$(call said,POLICY)
	$(call said,DISTRIBUTION_ID)
	$(call said,FUNCTION_ARN)
	$(MAKE) build
	PACKAGE='$(PACKAGE)' infra/attach $(DISTRIBUTION_ID) --function-arn $(FUNCTION_ARN) --behavior '$(BEHAVIOR)' --policy $(POLICY) $(ATTACH)

detach: ## Detach FUNCTION_ARN from BEHAVIOR of DISTRIBUTION_ID.
	$(call said,DISTRIBUTION_ID)
	$(call said,FUNCTION_ARN)
	$(MAKE) build
	infra/attach --detach $(DISTRIBUTION_ID) --function-arn $(FUNCTION_ARN) --behavior '$(BEHAVIOR)' $(DETACH)

smoke: ## Test URL with requests that USER_TOKEN may make below FOLDER and OTHER_TOKEN may not, and with all that POLICY=... opens; see infra/smoke.
	infra/smoke $(URL) $(FOLDER) $(USER_TOKEN) $(OTHER_TOKEN)

runtimes: ## Install AWS's own runtime clients into .tools/runtimes.
	tests/tools/runtimes/install

browser: ## Install the driver for Chromium into .tools/browser; as root on Debian, Chromium too.
	tests/tools/browser/install

fixtures: ## Make the events and outcomes of the fixtures' cases again, with new keys.
	cargo run --locked --package authorizer-e2e --bin make-fixtures

asan: ## Run the tests of the C library with AddressSanitizer, which finds bytes that are read or freed wrongly; needs a nightly toolchain.
	RUSTFLAGS='-Z sanitizer=address' CARGO_TARGET_DIR=$(or $(CARGO_TARGET_DIR),target)/asan \
		cargo +nightly test --locked --package authorizer-library --lib --test it --target x86_64-unknown-linux-gnu -- --skip python::

fuzz: ## Fuzz every input that comes from outside, FUZZ_SECONDS each; needs a nightly toolchain.
	FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz/run

fuzz-deep: ## Fuzz for FUZZ_EXECUTIONS (100,000,000) over all inputs, and print the figures. Stops after FUZZ_MINUTES, if set; goes on where it stopped.
	tests/fuzz/deep

tokens-million: runtimes ## Compare a million mutated tokens with jose and PyJWT, and print the classes of disagreement. Example: SEED=2
	tests/tools/peers/install
	TOKENS=1000000 cargo test --release --locked --package authorizer-peers --test it -- \
		needs_peers::second_opinion --nocapture

backtest-million: ## Check logs of a million lines against a policy, and print the speed.
	BACKTEST_LINES=1000000 cargo test --release --locked --package authorizer-cli --test it -- \
		backtest_million:: --nocapture --test-threads 1

cedar-deep: ## Compare `audit diff` with Cedar's symbolic compiler on 2,000 pairs of policies; needs cvc5.
	RANDOM_CASES=1000 cargo test --locked --package authorizer-cedar --test it -- implies:: --nocapture

bench: ## Measure decisions, the command line and the function beside its peers, and print tables; see docs/performance.md.
	cargo bench --locked --profile fast --package authorizer-core --features code-flow --bench decision -- $(BENCH)
	cargo bench --locked --package authorizer-cli --bench scale -- $(BENCH)
	cargo test --locked --package authorizer-core --test allocations -- --nocapture --test-threads 1
	tests/bench/tables
	$(MAKE) bench-peers

bench-counts: ## Count instructions under valgrind, and print them beside the recorded table. COUNTS=--record writes it anew.
	tests/tools/gungraun/install
	tests/bench/counts $(COUNTS)

bench-serve: build ## Measure small requests a second of `authorizer serve`, beside a file server. Example: LOAD="--connections 200"
	tests/tools/load/install
	tests/tools/rclone/install
	tests/bench/serve $(LOAD)

soak: build ## Load `authorizer serve` for MINUTES (10) with mixed requests of several users, check every byte, and print figures. Example: SOAK="-- --tls"
	tests/bench/soak --minutes $(MINUTES) $(SOAK)

bench-peers: runtimes ## Measure the function, its start and its invocation, beside other handlers and an empty function. Example: PEERS="--json FILE"; see tests/peers.
	tests/tools/peers/install
	cargo run --release --locked --package authorizer-peers -- $(PEERS)

clean: ## Remove build results. Installed tools and the files of `make run` stay.
	cargo clean
	rm -rf dist
