//! Numbers of pull and merge requests, as the messages of commits tell them.

use std::collections::{HashMap, HashSet};

use bstr::{BStr, ByteSlice};
use gix::ObjectId;

use super::walk::Node;

/// The number that a message tells: GitHub's and Bitbucket's merges, GitLab's
/// trailer, Azure's prefix, and the suffix of squashed commits.
pub(super) fn number(message: &BStr) -> Option<u64> {
    let text = message.to_str_lossy();
    let subject = text.lines().next().unwrap_or_default().trim_end();
    after(subject, "Merge pull request #")
        .or_else(|| after(subject, "Merged PR "))
        .or_else(|| suffix(subject))
        .or_else(|| subject.split_once("(pull request #").and_then(|(_, rest)| digits(rest)))
        .or_else(|| text.lines().find_map(merge_request))
}

fn after(subject: &str, words: &str) -> Option<u64> {
    digits(subject.strip_prefix(words)?)
}

/// `(#12)` or `(!12)` at the end.
fn suffix(subject: &str) -> Option<u64> {
    let (_, last) = subject.strip_suffix(')')?.rsplit_once('(')?;
    let number = last.strip_prefix('#').or_else(|| last.strip_prefix('!'))?;
    number.parse().ok()
}

/// `See merge request group/project!12`.
fn merge_request(line: &str) -> Option<u64> {
    digits(line.trim().strip_prefix("See merge request ")?.rsplit_once('!')?.1)
}

fn digits(text: &str) -> Option<u64> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

/// For each of `nodes` that is not on the first-parent line of `tips`, the merge that brought it there.
pub(super) fn brought_in(nodes: &[Node], tips: &[ObjectId]) -> HashMap<ObjectId, ObjectId> {
    let by_id: HashMap<ObjectId, &Node> = nodes.iter().map(|node| (node.id, node)).collect();
    let mut brought = HashMap::new();
    for tip in tips {
        let line: Vec<&Node> = std::iter::successors(by_id.get(tip).copied(), |node| {
            node.parents.first().and_then(|parent| by_id.get(parent).copied())
        })
        .collect();
        let mut seen: HashSet<ObjectId> = line.iter().map(|node| node.id).collect();
        // Oldest first: what an older merge brought is not news to a younger one.
        for merge in line.iter().rev() {
            let mut todo: Vec<ObjectId> = merge.parents.iter().skip(1).copied().collect();
            while let Some(node) = todo.pop().and_then(|id| by_id.get(&id)) {
                if seen.insert(node.id) {
                    brought.entry(node.id).or_insert(merge.id);
                    todo.extend(&node.parents);
                }
            }
        }
    }
    brought
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn every_forge_tells_its_number_in_its_own_words() {
        for (message, expected) in [
            ("Merge pull request #12 from me/branch\n\nTitle", Some(12)),
            ("Fix the thing (#34)", Some(34)),
            ("Fix the thing (#34)\n\nMore (#99)", Some(34)),
            ("Merge branch 'x' into 'main'\n\nTitle\n\nSee merge request group/project!56", Some(56)),
            ("Fix the thing (!78)", Some(78)),
            ("Merged PR 90: Fix the thing", Some(90)),
            ("Merged in feature/x (pull request #11)", Some(11)),
            ("Fix #12", None),
            ("Fix (#12) and more", None),
            ("Merge pull request", None),
            ("", None),
            ("Merge pull request #99999999999999999999999", None),
        ] {
            assert_eq!(number(message.into()), expected, "{message}");
        }
    }
}
