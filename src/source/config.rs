//! trueup.yaml: environments, targets and guards.
