.PHONY: help setup demo test check deploy lock clean

help:
	@echo "make demo   set everything up and translate a sample video into out/demo/"
	@echo "make test   set everything up, with PostgreSQL, Redis and ClamAV, then lint, type-check and run every test"
	@echo "make setup  system packages, .venv, offline models; quick when all is there"
	@echo "make check  what make test runs, without the set-up"
	@echo "make deploy pools, limits, blocks, automations and deployments on the Prefect server"
	@echo "make lock   resolve pyproject.toml into requirements.lock"
	@echo "make clean  remove outputs and caches; .venv and models stay"

setup:
	scripts/setup

demo: setup
	.venv/bin/python scripts/make_sample.py out/sample.mp4
	.venv/bin/dubline translate out/sample.mp4 --from en --to es --out out/demo

test:
	scripts/setup --servers
	scripts/check

check:
	scripts/check

deploy:
	.venv/bin/python -m deployments.deploy

lock:
	scripts/lock

clean:
	rm -rf out build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -path ./.venv -prune -o -type d -name __pycache__ -exec rm -rf {} +
