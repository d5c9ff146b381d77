//! `trueup providers`

use std::sync::Arc;

use anyhow::Result;
use schemars::SchemaGenerator;

use super::show;
use crate::{
    cli::{
        GlobalArgs,
        args::{ProvidersAction, ProvidersArgs, ProvidersCheckArgs, ProvidersShowArgs},
    },
    exit::Exit,
    model::{ignore::Rule, user_error::UserError},
    output::{
        Explain, Format, KindInfo, Outputs, ProviderInfo, Providers, terminal::Terminal, visible::visible,
    },
    planner::session::Session,
    providers::{
        PROVIDERS, Provider,
        rest::{
            self,
            definition::{self, Definition, Field, Risk},
        },
    },
    source::checkout::Selection,
};

pub(super) fn run(global: &GlobalArgs, args: &ProvidersArgs, terminal: &mut Terminal) -> Result<Exit> {
    match &args.action {
        None => list(&PROVIDERS, Explain::Names, args.format.as_deref(), terminal),
        Some(ProvidersAction::Show(args)) => show_one(args, terminal),
        Some(ProvidersAction::Check(args)) => check(global, args, terminal),
    }
}

fn list(
    kinds: &[&Provider],
    explain: Explain,
    format: Option<&str>,
    terminal: &mut Terminal,
) -> Result<Exit> {
    let outputs = Outputs { format: show::format(format, Format::Human)?, ..Outputs::default() };
    crate::output::check::<Providers<'_>>(&outputs)
        .map_err(|message| UserError::new(Exit::Usage, message))?;
    let providers: Vec<ProviderInfo> = kinds.iter().map(|kind| info(kind)).collect();
    outputs.show(&Providers { providers: &providers, explain }, terminal)?;
    Ok(Exit::InSync)
}

fn show_one(args: &ProvidersShowArgs, terminal: &mut Terminal) -> Result<Exit> {
    let name = &args.name;
    let kind = Provider::find(name).ok_or_else(|| unknown(name))?;
    if args.definition {
        let message = format!("`{name}` is no API that a definition describes");
        let text = definition::embedded::text(name).ok_or_else(|| UserError::new(Exit::NoInput, message))?;
        terminal.out().write_all(text.as_bytes())?;
        return Ok(Exit::InSync);
    }
    list(&[kind], Explain::Keys, args.format.as_deref(), terminal)
}

/// Reads a definition file and says what is in it, and what a server has of it.
fn check(global: &GlobalArgs, args: &ProvidersCheckArgs, terminal: &mut Terminal) -> Result<Exit> {
    let file = global.directory.join(&args.file);
    let shown = args.file.display().to_string();
    let text = rest::client::size_limit::read(&file, definition::load::LARGEST as u64).map_err(|error| {
        UserError::new(Exit::NoInput, format!("reading the definition `{shown}`: {error}"))
    })?;
    let definition =
        definition::load::parse(&text).map_err(|complaint| complaint.in_file(Exit::BadConfig, &shown))?;
    let kinds: Vec<&str> = definition.kinds.keys().map(String::as_str).collect();
    writeln!(terminal.out(), "{shown}: {} with {}", definition.provider, kinds.join(", "))?;
    let Some(name) = &args.target else { return Ok(Exit::InSync) };
    let session =
        Session::open(global, &Selection::WorkTree, args.env.as_deref(), std::slice::from_ref(name))?;
    let mut exit = Exit::InSync;
    for chosen in &session.targets {
        let tried = rest::live_check::read(&chosen.target, definition.clone())?;
        for line in &tried.lines {
            writeln!(terminal.out(), "{}", visible(line))?;
        }
        exit = tried.exit;
    }
    Ok(exit)
}

fn info(kind: &Provider) -> ProviderInfo {
    let mut generator = SchemaGenerator::default();
    let schema = (kind.schema)(&mut generator).to_value();
    let definitions = generator.take_definitions(true);
    let named =
        schema.get("$ref").and_then(|reference| reference.as_str()).and_then(|path| path.rsplit('/').next());
    let schema = named.and_then(|name| definitions.get(name)).cloned().unwrap_or(schema);
    let rule = |rule: &Arc<Rule>| (rule.id.to_string(), rule.reason.clone());
    let mut rules: Vec<_> = (kind.rules)().iter().map(rule).collect();
    rules.dedup();
    let definition = definition::embedded::find(kind.name);
    let tested =
        definition.map(|definition| definition.tested_with.iter().map(ToString::to_string).collect());
    ProviderInfo {
        name: kind.name.to_owned(),
        about: kind.about.to_owned(),
        schema,
        rules,
        tested_with: tested.unwrap_or_default(),
        kinds: definition.map(|definition| kinds(definition)).unwrap_or_default(),
    }
}

fn kinds(definition: &Definition) -> Vec<KindInfo> {
    let one = |(name, kind): (&String, &definition::Kind)| KindInfo {
        name: name.clone(),
        about: kind.about.clone().unwrap_or_default(),
        scope: definition.params(kind).to_vec(),
        identity: kind.identity.keys.clone(),
        risk: match kind.risk {
            Risk::Low => None,
            Risk::DataLoss => Some("loss of data".to_owned()),
            Risk::Access => Some("somebody's access".to_owned()),
        },
        fields: kind.declared_fields().map(|(pointer, field)| (pointer.clone(), words(field))).collect(),
    };
    definition.kinds.iter().map(one).collect()
}

fn words(field: &Field) -> String {
    let about = field.about.iter().cloned();
    about.chain(field.traits()).collect::<Vec<_>>().join(", ")
}

fn unknown(name: &str) -> UserError {
    let known: Vec<&str> = PROVIDERS.iter().map(|kind| kind.name).collect();
    UserError::new(Exit::NoInput, format!("no provider `{name}`"))
        .hint(format!("there is {}", known.join(", ")))
}
