//! Checks of build results and of shipped files, used by several commands.

pub(crate) mod build_fingerprint;
pub(crate) mod deploy_files;
pub(crate) mod recorded_values;
pub(crate) mod sbom;
pub(crate) mod size_budget;
pub(crate) mod smoke_test;
