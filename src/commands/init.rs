//! `trueup init`

use std::{fs, io::Write, path::Path};

use anyhow::{Context, Result};

use crate::{
    cli::{GlobalArgs, args::InitArgs},
    exit::Exit,
    model::user_error::UserError,
    output::terminal::Terminal,
    source::{checkout::Checkout, config},
};

pub(super) fn run(global: &GlobalArgs, args: &InitArgs, terminal: &mut Terminal) -> Result<Exit> {
    let dir = &global.directory;
    Checkout::open(dir)?;
    create(&dir.join(config::FILE), &configuration(args))?;
    terminal.status(&format!("wrote {}", config::FILE));
    let folder = dir.join(&args.path);
    if !folder.exists() {
        fs::create_dir_all(&folder).with_context(|| format!("creating `{}`", folder.display()))?;
        create(&folder.join("motd"), "Declared in Git, applied by trueup.\n")?;
        terminal.status(&format!("wrote {}/motd, an example", args.path));
    }
    if ignore(dir, &args.root)? {
        terminal.status(&format!("added {} to .gitignore", args.root));
    }
    terminal.status(&format!(
        "next: git add {} {} .gitignore && git commit, then trueup plan",
        config::FILE,
        args.path
    ));
    Ok(Exit::InSync)
}

fn configuration(args: &InitArgs) -> String {
    let [path, root] = [&args.path, &args.root].map(|text| serde_json::Value::from(text.as_str()));
    format!(
        "version: 1\n\
         targets:\n  \
           site:\n    \
             provider: files\n    \
             path: {path}   # declared here, in the checkout\n    \
             root: {root}   # applied there, relative to this file\n"
    )
}

fn create(file: &Path, text: &str) -> Result<()> {
    let shown = file.display();
    match fs::File::create_new(file) {
        Ok(mut new) => new.write_all(text.as_bytes()).with_context(|| format!("writing `{shown}`")),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let hint = "edit it, or remove it to start anew";
            Err(UserError::new(Exit::Refused, format!("`{shown}` is there already")).hint(hint).into())
        }
        Err(error) => Err(error).with_context(|| format!("writing `{shown}`")),
    }
}

/// Keeps a root that lies in the checkout out of Git; tells whether a line was added.
fn ignore(dir: &Path, root: &str) -> Result<bool> {
    let inside = Path::new(root).components().all(|part| matches!(part, std::path::Component::Normal(_)));
    let line = format!("/{}/", root.trim_end_matches('/'));
    let file = dir.join(".gitignore");
    let known = fs::read_to_string(&file).unwrap_or_default();
    if !inside || known.lines().any(|known| known == line) {
        return Ok(false);
    }
    let gap = if known.is_empty() || known.ends_with('\n') { "" } else { "\n" };
    fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&file)
        .and_then(|mut file| file.write_all(format!("{gap}{line}\n").as_bytes()))
        .with_context(|| format!("writing `{}`", file.display()))?;
    Ok(true)
}
