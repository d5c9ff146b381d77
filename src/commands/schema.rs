//! `trueup schema`

use anyhow::Result;

use crate::{
    cli::args::{SchemaArgs, SchemaOf},
    exit::Exit,
    model::saved::SavedPlan,
    output::{json, terminal::Terminal},
    providers::{PROVIDERS, files, rest},
    source::config::{Config, ProviderSchema},
};

pub(super) fn run(args: &SchemaArgs, terminal: &mut Terminal) -> Result<Exit> {
    let schema = match args.what {
        SchemaOf::Config => {
            let providers: Vec<_> = PROVIDERS
                .iter()
                .map(|kind| ProviderSchema { name: kind.name, options: kind.schema })
                .collect();
            Config::schema(&providers).to_value()
        }
        SchemaOf::Plan => json::schema_plan(),
        SchemaOf::Apply => json::schema_apply(),
        SchemaOf::Log => json::schema_log(),
        SchemaOf::Why => json::schema_why(),
        SchemaOf::FilesManifest => files::manifest_schema().to_value(),
        SchemaOf::Rest => rest::definition::schema(),
        SchemaOf::SavedPlan => schemars::schema_for!(SavedPlan).to_value(),
    };
    let out = terminal.out();
    serde_json::to_writer_pretty(&mut *out, &schema)?;
    writeln!(out)?;
    Ok(Exit::InSync)
}
