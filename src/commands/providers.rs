//! `trueup providers`

use anyhow::Result;
use schemars::SchemaGenerator;

use super::show;
use crate::{
    cli::args::ProvidersArgs,
    exit::Exit,
    model::fault::Fault,
    output::{Explain, Format, Outputs, ProviderInfo, Providers, terminal::Terminal},
    providers::{KINDS, Kind},
};

pub(super) fn run(args: &ProvidersArgs, terminal: &mut Terminal) -> Result<Exit> {
    let outputs =
        Outputs { format: show::format(args.format.as_deref(), Format::Human)?, ..Outputs::default() };
    crate::output::check::<Providers<'_>>(&outputs).map_err(|message| Fault::new(Exit::Usage, message))?;
    let (kinds, explain) = match &args.name {
        None => (KINDS.to_vec(), Explain::Names),
        Some(name) => (vec![Kind::find(name).ok_or_else(|| unknown(name))?], Explain::Keys),
    };
    let providers: Vec<ProviderInfo> = kinds.into_iter().map(info).collect();
    outputs.show(&Providers { providers: &providers, explain }, terminal)?;
    Ok(Exit::InSync)
}

fn info(kind: &Kind) -> ProviderInfo {
    let mut generator = SchemaGenerator::default();
    let schema = (kind.schema)(&mut generator).to_value();
    let definitions = generator.take_definitions(true);
    let named =
        schema.get("$ref").and_then(|reference| reference.as_str()).and_then(|path| path.rsplit('/').next());
    let schema = named.and_then(|name| definitions.get(name)).cloned().unwrap_or(schema);
    ProviderInfo { name: kind.name.to_owned(), about: kind.about.to_owned(), schema }
}

fn unknown(name: &str) -> Fault {
    let known: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    Fault::new(Exit::NoInput, format!("no provider `{name}`")).hint(format!("there is {}", known.join(", ")))
}
