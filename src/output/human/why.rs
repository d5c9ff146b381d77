//! The history of one place for people.

use std::io::{self, Write};

use super::log::{minute, who};
use crate::{
    model::explain::Reason,
    output::{Look, Why, Whys, phrases, style::Role, visible::visible},
};

/// Writes what is known of a place, in every target that knows it.
///
/// # Errors
/// `out` refused.
pub fn whys(whys: &Whys<'_>, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    for (number, why) in whys.answers.iter().enumerate() {
        if number > 0 {
            writeln!(out)?;
        }
        one(why, look, out)?;
    }
    Ok(())
}

fn one(why: &Why, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let (target, id) = (visible(&why.target.name), visible(&why.target.id));
    let address = visible(why.explanation.address.as_str());
    let path = why.path.as_ref().map_or_else(String::new, |path| format!("  {}", visible(path)));
    let heading = format!("{address}{path}   target {target} ({id})");
    writeln!(out, "{}", look.paint.apply(Role::Heading, &heading))?;
    let revision = phrases::revision(&why.revision);
    match &why.origin {
        Some(origin) => writeln!(out, "  declared     {} in {revision}", phrases::place(origin))?,
        None => writeln!(out, "  declared     nowhere in {revision}")?,
    }
    for commit in &why.commits {
        writeln!(out, "  changed by   {}", phrases::commit(commit))?;
    }
    for past in &why.applies {
        for object in &past.objects {
            let (when, revision, who) =
                (minute(&past.started), phrases::revision(&past.revision), who(&past.who));
            let (action, verdict) = (object.action, object.verdict.words());
            writeln!(out, "  applied      {when} {revision} {who}: {action}, {verdict}")?;
        }
    }
    let now = why.change.as_ref().map_or_else(|| why.explanation.class.to_string(), phrases::what);
    writeln!(out, "  now          {now}")?;
    for person in why.change.iter().flat_map(|change| &change.persons) {
        writeln!(out, "  person       {}", phrases::person(person))?;
    }
    for Reason { basis, path, text } in &why.explanation.reasons {
        let place = path.as_ref().map_or_else(String::new, |path| format!("{}  ", visible(path)));
        writeln!(out, "  {:11}  {place}{}", basis.word(), visible(text))?;
    }
    Ok(())
}
