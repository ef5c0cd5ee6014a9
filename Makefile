# make help lists what there is.

SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# Pure Go: no C compiler is needed, and a program runs on any machine of its kind.
export CGO_ENABLED := 0

BIN      := .data/bin
TEMPORAL := $(wildcard tools/temporal-dev/*.go) tools/temporal-dev/go.mod tools/temporal-dev/go.sum
GO_FILES := $(shell find . -name '*.go' -not -path './tools/*' -not -path './.data/*' -not -path './web/node_modules/*' 2>/dev/null)
WEB      := $(shell find web/src web/public -type f 2>/dev/null) $(wildcard web/*.json web/*.ts web/*.html)

.PHONY: help run setup build web temporal test e2e lint generate verify bench bench-long matrix chaos chaos-mutants clean

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

run: setup build temporal ## install what is missing, build, and start everything on this machine
	@exec $(BIN)/omnidesk dev

setup: ## find or install PostgreSQL
	@scripts/setup

build: $(BIN)/omnidesk ## the program, with the web app in it
temporal: $(BIN)/temporal-dev ## the local Temporal server
web: web/dist/index.html ## the web app

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	@echo "Installing the web app's packages …"
	npm --prefix web ci --no-audit --no-fund
	touch $@

web/dist/index.html: web/node_modules/.package-lock.json $(WEB)
	@echo "Building the web app …"
	npm --prefix web run build
	touch web/dist/.gitkeep $@

$(BIN)/omnidesk: web/dist/index.html $(GO_FILES) go.mod go.sum $(wildcard migrations/*.sql)
	@scripts/progress "Building omnidesk (about 2 minutes the first time)" go build -v -o $@ .

$(BIN)/temporal-dev: $(TEMPORAL)
	@scripts/progress "Building the local Temporal server (about 6 minutes the first time, once)" \
		go build -C tools/temporal-dev -trimpath -v -ldflags '-s -w' -o $(CURDIR)/$@ .

# Developers' tools, each pinned by its own module under tools/.
$(BIN)/golangci-lint: tools/golangci-lint/go.mod
	@scripts/progress "Building golangci-lint" go build -C tools/golangci-lint -trimpath -v -o $(CURDIR)/$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint
$(BIN)/workflowcheck: tools/workflowcheck/go.mod
	@scripts/progress "Building workflowcheck" go build -C tools/workflowcheck -trimpath -v -o $(CURDIR)/$@ go.temporal.io/sdk/contrib/tools/workflowcheck
$(BIN)/sqlc: tools/sqlc/go.mod
	@scripts/progress "Building sqlc" go build -C tools/sqlc -trimpath -v -o $(CURDIR)/$@ github.com/sqlc-dev/sqlc/cmd/sqlc
$(BIN)/govulncheck: tools/govulncheck/go.mod
	@scripts/progress "Building govulncheck" go build -C tools/govulncheck -trimpath -v -o $(CURDIR)/$@ golang.org/x/vuln/cmd/govulncheck

test: build temporal ## all tests, on a throw-away PostgreSQL and Temporal server; PACKAGES=./internal/… for some
	@scripts/setup --test
	@scripts/test $(PACKAGES)

e2e: build temporal ## the browser tests alone
	@scripts/setup --test
	@scripts/test --e2e

lint: $(BIN)/golangci-lint $(BIN)/workflowcheck web ## format, vet, linters, and determinism of the workflows
	@scripts/lint

generate: $(BIN)/sqlc web/node_modules/.package-lock.json ## code from SQL, openapi.json and the web app's types
	@scripts/generate

verify: $(BIN)/sqlc $(BIN)/govulncheck web ## generated files are current; modules are tidy, whole and without known holes
	@scripts/verify

bench: ## figures as JSON lines; BENCH=name for one
	@scripts/bench $(BENCH)

bench-long: ## the long ones: a million recipients, every read at 2,000,000 messages
	@scripts/bench --long $(BENCH)

matrix: ## call every route as everybody, about own rows and those of others, and print figures
	@OMNIDESK_FIGURES="$$(mktemp)"; export OMNIDESK_FIGURES; go test ./server -run '^TestMatrix$$' -count=1 >&2; failed=$$?; cat "$$OMNIDESK_FIGURES"; rm -f "$$OMNIDESK_FIGURES"; exit $$failed

chaos: temporal web ## kill parts and spoil the network under load, compare, and print figures
	@scripts/chaos

chaos-mutants: temporal web ## show that known bugs, brought back one at a time, are caught
	@scripts/chaos --mutants

clean: ## remove what was built; the data stay
	rm -rf $(BIN) web/dist/assets web/dist/index.html
