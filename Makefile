# Drawbridge. `make run` shows it, `make test` proves it; `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help deps build release static run test lint format bench clean

SWIFT := swift
STATIC := .build-static
# Flags of the static, hardened executable. lld, because gold knows no static PIE; no $ORIGIN rpath, because with a
# static PIE it ends the program before main.
STATIC_FLAGS := -c release --product drawbridge --scratch-path $(STATIC) --disable-local-rpath \
  -Xswiftc -static-executable -Xswiftc -use-ld=lld -Xswiftc -Xclang-linker -Xswiftc -static-pie \
  -Xlinker -z -Xlinker relro -Xlinker -z -Xlinker now -Xlinker -z -Xlinker noexecstack -Xlinker --pack-dyn-relocs=relr -Xlinker -s \
  -Xlinker -levent -Xlinker -lhogweed -Xlinker -lnettle -Xlinker -lgmp \
  -Xcc -fstack-protector-strong -Xcc -fcf-protection=full

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -e 's/:.*## /\t/' | expand -t 12

deps: ## install the Debian packages that are missing
	@.ci/install

build: deps ## build everything for development
	@$(SWIFT) build

release: deps ## build the optimised executables
	@echo "Building drawbridge and its lab (the first time takes some minutes) ..."
	@$(SWIFT) build -c release --product drawbridge
	@$(SWIFT) build -c release --product drawbridge-lab

run: release ## a real conversation across the gateway, then the running gateway at your hands (ONCE=1: only the first)
	@$$($(SWIFT) build -c release --show-bin-path)/drawbridge-lab run $(if $(ONCE),--once)

test: deps ## build and run every test, interop with the real peers included
	@$(MAKE) --no-print-directory static
	@$(SWIFT) build --build-tests
	@DRAWBRIDGE_STATIC=$(CURDIR)/$(STATIC)/release/drawbridge $(SWIFT) test --skip-build

static: deps ## the fully static, hardened executable
	@echo "Building the static executable (the first time takes some minutes) ..."
	@$(SWIFT) build $(STATIC_FLAGS)
	@ls -l $(STATIC)/release/drawbridge | awk '{printf "static executable: %s, %.1f MB\n", $$9, $$5/1e6}'

lint: ## check the format
	@$(SWIFT) format lint --strict --parallel --recursive Package.swift Sources Tests

format: ## format the sources
	@$(SWIFT) format --in-place --parallel --recursive Package.swift Sources Tests

bench: release ## throughput, latency, CPU and memory, beside Prosody and ejabberd
	@$$($(SWIFT) build -c release --show-bin-path)/drawbridge-lab bench

clean: ## remove what was built
	@rm -rf .build $(STATIC)
