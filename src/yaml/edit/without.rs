//! A document that leaves a file.

use super::documents;

/// Takes one of several documents, empty ones not counted, out of a file.
///
/// # Errors
/// What stands in the way.
pub fn without(content: &[u8], document: usize) -> Result<Vec<u8>, String> {
    let text = crate::yaml::text(content).map_err(|problem| problem.message)?;
    let mark = &content[..content.len() - text.len()];
    let documents = documents(text)?;
    let at = documents.get(document).ok_or("its document was not found")?.span.bytes.start;
    let mut starts = Vec::new();
    let mut position = 0;
    for line in text.split_inclusive('\n') {
        let word = line.trim_end();
        if word.starts_with('%') || word == "..." {
            return Err("the file has directives or ends of documents".to_owned());
        }
        if word == "---" || word.starts_with("--- ") {
            starts.push((position, position + line.len()));
        }
        position += line.len();
    }
    let before = starts.iter().rev().find(|(start, _)| *start <= at);
    let after = starts.iter().find(|(start, _)| *start > at);
    let range = match (before, after) {
        (Some((start, _)), Some((end, _))) => *start..*end,
        (Some((start, _)), None) => *start..text.len(),
        (None, Some((_, end))) => 0..*end,
        (None, None) => return Err("its file holds nothing else".to_owned()),
    };
    let bytes = text.as_bytes();
    Ok([mark, &bytes[..range.start], &bytes[range.end..]].concat())
}
