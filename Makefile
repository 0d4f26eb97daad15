# What a person runs from a fresh clone.

POLICY ?= fixtures/policies/sample.toml
PACKAGE ?= dist/authorizer.zip

.PHONY: package
package: ## Build the function and make the zip to deploy, from POLICY into PACKAGE.
	bootstrap=$$(authorizer/edge/build) && \
	cargo run --release --locked --package authorizer-cli -- \
		package --policy $(POLICY) --bootstrap "$$bootstrap" --out $(PACKAGE)
