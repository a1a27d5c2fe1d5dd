//! Checks that a command runs: each says whether something is as it has to be.

pub(crate) mod build_fingerprint;
pub(crate) mod deploy_files;
pub(crate) mod sbom;
pub(crate) mod size_budget;
pub(crate) mod smoke_test;
