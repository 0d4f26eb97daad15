//! `infra/`: the templates and scripts, with cfn-lint, checkov, Terraform, AWS's command line and an emulator of AWS.

mod backtest;
mod cdk;
mod deploy;
mod deploy_docs;
mod drift;
mod failures;
mod forwarded_headers;
mod function;
mod logs;
mod members;
mod parameters;
mod prove;
mod rollout;
mod runbook;
mod second_opinion;
mod smoke;
mod stack;
mod terraform;
