//! `trueup providers`

use std::{path::Path, sync::Arc};

use anyhow::Result;
use schemars::SchemaGenerator;

use super::show;
use crate::{
    cli::args::ProvidersArgs,
    exit::Exit,
    model::{fault::Fault, ignore::Rule},
    output::{Explain, Format, Outputs, ProviderInfo, Providers, terminal::Terminal},
    providers::{KINDS, Kind, rest::definition},
};

pub(super) fn run(args: &ProvidersArgs, terminal: &mut Terminal) -> Result<Exit> {
    if let Some(file) = &args.check {
        return check(file, terminal);
    }
    if let (true, Some(name)) = (args.definition, &args.name) {
        let message = format!("`{name}` is no API that a definition describes");
        let text = definition::embedded::text(name).ok_or_else(|| Fault::new(Exit::NoInput, message))?;
        terminal.out().write_all(text.as_bytes())?;
        return Ok(Exit::InSync);
    }
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

/// Reads a definition file and says what is in it.
fn check(file: &Path, terminal: &mut Terminal) -> Result<Exit> {
    let shown = file.display().to_string();
    let text = std::fs::read(file)
        .map_err(|error| Fault::new(Exit::NoInput, format!("reading the definition `{shown}`: {error}")))?;
    let definition =
        definition::load::parse(&text).map_err(|complaint| complaint.in_file(Exit::BadConfig, &shown))?;
    let kinds: Vec<&str> = definition.kinds.keys().map(String::as_str).collect();
    writeln!(terminal.out(), "{shown}: {} with {}", definition.provider, kinds.join(", "))?;
    Ok(Exit::InSync)
}

fn info(kind: &Kind) -> ProviderInfo {
    let mut generator = SchemaGenerator::default();
    let schema = (kind.schema)(&mut generator).to_value();
    let definitions = generator.take_definitions(true);
    let named =
        schema.get("$ref").and_then(|reference| reference.as_str()).and_then(|path| path.rsplit('/').next());
    let schema = named.and_then(|name| definitions.get(name)).cloned().unwrap_or(schema);
    let rule = |rule: &Arc<Rule>| (rule.id.to_string(), rule.reason.clone());
    let mut rules: Vec<_> = (kind.rules)().iter().map(rule).collect();
    rules.dedup();
    ProviderInfo { name: kind.name.to_owned(), about: kind.about.to_owned(), schema, rules }
}

fn unknown(name: &str) -> Fault {
    let known: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    Fault::new(Exit::NoInput, format!("no provider `{name}`")).hint(format!("there is {}", known.join(", ")))
}
