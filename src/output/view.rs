//! Every answer in every format, and where it goes.

use std::io::Write;

use super::{
    Bytes, Detail, Format, Logs, Look, Plans, Providers, Reports, Sink, Whys, human, json, markdown, save,
    style::Paint,
    terminal::{Kind, Terminal},
    unified,
};

/// Where the answer of a command goes.
#[derive(Clone, Debug, Default)]
pub struct Outputs {
    /// The format of stdout.
    pub format: Format,
    /// Further copies in files.
    pub copies: Vec<Sink>,
    /// How much the human format shows.
    pub detail: Detail,
    /// The longest that Markdown may get, in bytes; 0 for the default.
    pub max_bytes: usize,
}

/// Something that can be shown in several formats.
pub trait View: Sized {
    /// The formats that it has.
    const FORMATS: &'static [Format];

    /// Writes it in one of them.
    ///
    /// # Errors
    /// `out` refused, or the format is not one of [`View::FORMATS`].
    fn write(&self, format: Format, look: &Look, out: &mut dyn Write) -> anyhow::Result<()>;
}

impl Outputs {
    /// Makes sure, before anything else is done, that every file can be written.
    ///
    /// # Errors
    /// The first that cannot.
    pub fn prepare(&self) -> anyhow::Result<()> {
        self.copies.iter().try_for_each(|copy| save::probe(&copy.file))
    }

    /// Writes the answer to stdout and to every copy.
    ///
    /// # Errors
    /// A file could not be written, stdout refused, or the answer does not have the format.
    pub fn show<V: View>(&self, view: &V, terminal: &mut Terminal) -> anyhow::Result<()> {
        let max_bytes = if self.max_bytes == 0 { markdown::GITHUB } else { self.max_bytes };
        let file = Look { detail: self.detail, max_bytes, ..Look::default() };
        for copy in &self.copies {
            save::replace(&copy.file, |out| view.write(copy.format, &file, out))?;
        }
        let colours = terminal.paint() == Paint::Ansi;
        let eyes = colours || terminal.out_kind() == Kind::Terminal;
        let bytes = if eyes { Bytes::Visible } else { Bytes::Exact };
        let look = Look { paint: terminal.paint(), bytes, ..file };
        view.write(self.format, &look, terminal.out())
    }
}

/// Checks that a command's answer has the formats that were asked for.
///
/// # Errors
/// A sentence that names the formats it has.
pub fn check<V: View>(outputs: &Outputs) -> Result<(), String> {
    let asked = std::iter::once(outputs.format).chain(outputs.copies.iter().map(|copy| copy.format));
    match asked.into_iter().find(|format| !V::FORMATS.contains(format)) {
        Some(format) => Err(unsupported::<V>(format)),
        None => Ok(()),
    }
}

/// Checks that no two copies go to one file.
///
/// # Errors
/// A sentence that names it.
pub fn apart(copies: &[Sink]) -> Result<(), String> {
    let mut files = std::collections::BTreeSet::new();
    match copies.iter().find(|copy| !files.insert(save::place(&copy.file))) {
        Some(copy) => Err(format!("--out: two outputs go to `{}`", copy.file.display())),
        None => Ok(()),
    }
}

fn unsupported<V: View>(format: Format) -> String {
    let words: Vec<_> = V::FORMATS.iter().map(|format| format!("`{format}`")).collect();
    format!("there is no `{format}` of this; the formats are {}", words.join(", "))
}

impl View for Plans<'_> {
    const FORMATS: &'static [Format] =
        &[Format::Human, Format::Diff, Format::Json, Format::Markdown, Format::GitlabTerraform, Format::Plan];

    fn write(&self, format: Format, look: &Look, out: &mut dyn Write) -> anyhow::Result<()> {
        match format {
            Format::Human => human::plans(self, look, out)?,
            Format::Diff => unified::plans(self, look, out)?,
            Format::Json => json::plans(self, out)?,
            Format::Markdown => markdown::plans(self, look.max_bytes, out)?,
            Format::GitlabTerraform => json::gitlab_terraform(self, out)?,
            Format::Plan => match self.saved {
                Some(saved) => out.write_all(saved.as_bytes())?,
                None => anyhow::bail!("only `plan` can save a plan, and only for one target"),
            },
        }
        Ok(())
    }
}

impl View for Reports<'_> {
    const FORMATS: &'static [Format] = &[Format::Human, Format::Json, Format::Markdown];

    fn write(&self, format: Format, look: &Look, out: &mut dyn Write) -> anyhow::Result<()> {
        match format {
            Format::Human => human::reports(self, look, out)?,
            Format::Json => json::reports(self, out)?,
            Format::Markdown => markdown::reports(self, look.max_bytes, out)?,
            other => anyhow::bail!(unsupported::<Self>(other)),
        }
        Ok(())
    }
}

impl View for Logs<'_> {
    const FORMATS: &'static [Format] = &[Format::Human, Format::Json];

    fn write(&self, format: Format, look: &Look, out: &mut dyn Write) -> anyhow::Result<()> {
        match format {
            Format::Human => human::logs(self, look, out)?,
            Format::Json => json::logs(self, out)?,
            other => anyhow::bail!(unsupported::<Self>(other)),
        }
        Ok(())
    }
}

impl View for Whys<'_> {
    const FORMATS: &'static [Format] = &[Format::Human, Format::Json];

    fn write(&self, format: Format, look: &Look, out: &mut dyn Write) -> anyhow::Result<()> {
        match format {
            Format::Human => human::whys(self, look, out)?,
            Format::Json => json::whys(self, out)?,
            other => anyhow::bail!(unsupported::<Self>(other)),
        }
        Ok(())
    }
}

impl View for Providers<'_> {
    const FORMATS: &'static [Format] = &[Format::Human, Format::Json];

    fn write(&self, format: Format, look: &Look, out: &mut dyn Write) -> anyhow::Result<()> {
        match format {
            Format::Human => human::providers(self, look, out)?,
            Format::Json => json::providers(self, out)?,
            other => anyhow::bail!(unsupported::<Self>(other)),
        }
        Ok(())
    }
}
