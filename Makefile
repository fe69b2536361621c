# Every target can be used alone: it brings what it needs. The work is done by scripts/.

.DEFAULT_GOAL := help
.PHONY: help tool wasm crs run test unit lint crs-test crs-envoy noop bench bench-envoy bench-audit bench-check bench-sizes worst e2e soak flood chaos conformance differential fuzz wasm-test clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

tool: ## Build the tool: target/release/parapet
	@scripts/build-tool

wasm: ## Build the filter: target/parapet.wasm
	@scripts/build-wasm

crs: ## Bring the OWASP Core Rule Set (from CRS_DIR or GitHub), verified
	@scripts/crs

run: ## Guard a demo backend on 127.0.0.1:8080 with a real Envoy
	@scripts/run

test: ## Run every suite; ends with the counts
	@scripts/test

unit: ## Unit and integration tests of all crates
	@scripts/unit

lint: ## Formatting, clippy, dependencies, scripts
	@scripts/test lint

crs-test: ## The Core Rule Set's regression tests, natively, through the filter and packed
	@scripts/crs-test

crs-envoy: ## The same tests through a real Envoy, told from Envoy's log
	@scripts/crs-envoy

noop: ## Build a filter that does nothing, to measure from: target/noop.wasm
	@scripts/build-noop

bench: ## Microseconds and allocations per request (BENCH_REQUESTS)
	@scripts/bench

bench-envoy: ## The same in Envoy, less a filter that does nothing, beside libmodsecurity
	@scripts/bench-envoy

bench-audit: ## What audit records of every request cost in Envoy
	@scripts/bench-audit

bench-check: ## Names what has become dearer than in benches/baseline.json
	@scripts/bench-check

bench-sizes: ## What doubling a body, or the number of arguments or headers, costs
	@scripts/bench-sizes

worst: ## Search for requests that take the Core Rule Set long, at paranoia 4
	@scripts/worst

e2e: ## The filter in real Envoys, oldest and newest
	@scripts/e2e

soak: ## Mixed requests through Envoy, SOAK_REQUESTS (1000000): no trap, no growth
	@scripts/soak

flood: ## A million made-up keys against persistent collections
	@cargo test --features cli --lib a_flood_of_a_million_keys -- --ignored --nocapture

chaos: ## Everything around the filter goes wrong, the filter itself included
	@scripts/chaos

conformance: ## Other projects' cases (from CONFORMANCE_DIR)
	@scripts/conformance

differential: ## The same rule ids as libmodsecurity on 24,000 generated requests
	@scripts/differential

fuzz: ## Search for inputs that break it, FUZZ_SECONDS (3600) for each of four groups
	@scripts/fuzz

wasm-test: ## The core inside wasm, under Node
	@scripts/test-wasm

clean: ## Remove what was built and fetched, but not rules/crs
	rm -rf target wasm-tests/target fuzz/target differential/target .local
