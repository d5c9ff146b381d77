//! Values as YAML that kubectl reads the way it was meant.
