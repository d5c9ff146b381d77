//! Lists, page by page, with stop rules that hold for servers that cap sizes silently.

use std::collections::BTreeSet;

use reqwest::{
    StatusCode, Url,
    header::{HeaderMap, HeaderValue, LINK},
};
use serde_json::Value as Json;

use crate::providers::rest::{
    client::{
        failure::Failure,
        transport::{Answer, Getter},
    },
    definition::{ErrorClass as Class, Limits, List, Page, list::PageStyle},
    options::TargetConfig,
    template::Variables,
};

/// What a list holds.
#[derive(Debug, Default)]
pub struct Listing {
    /// The objects, in the order of the server.
    pub items: Vec<Json>,
    /// Why something may be missing, if so.
    pub truncated: Option<String>,
    /// Whether the server says that it left something out.
    pub filtered: bool,
    /// How many objects the server announced.
    announced: Option<usize>,
    /// Whether it took more than one page.
    paged: bool,
    /// How many bytes its pages have.
    bytes: u64,
}

/// How many times as large as the largest answer all pages of a list may be.
const PAGES: u64 = 16;

/// The names of an object, as `identity` reads them from an item of a list.
type Names<'a> = &'a dyn Fn(&Json) -> Option<Vec<String>>;

/// Reads a list to its end. One that may have shifted while it was paged is read again, once.
///
/// # Errors
/// A page that could not be read: there is no half of a list.
pub fn list(
    getter: &Getter,
    setup: &TargetConfig,
    list: &List,
    variables: &Variables,
    identity: Names<'_>,
    wanted: &BTreeSet<Vec<String>>,
) -> Result<Listing, Failure> {
    let mut first = read(getter, setup, list, variables)?;
    if first.is_settled(identity, wanted) {
        return Ok(first);
    }
    let second = read(getter, setup, list, variables)?;
    if second.is_settled(identity, wanted) || second.truncated.is_none() && second.same(&first, identity) {
        return Ok(second);
    }
    first.truncated.get_or_insert_with(|| "the list shifts while it is read".to_owned());
    Ok(first)
}

impl Listing {
    /// Whether others writing meanwhile would have shown: an object on two pages, or another number
    /// of them. Without a number, what is `wanted` and missing may have slipped from page to page.
    fn is_settled(&self, identity: Names<'_>, wanted: &BTreeSet<Vec<String>>) -> bool {
        if self.truncated.is_some() || !self.paged {
            return self.truncated.is_none();
        }
        let mut seen = BTreeSet::new();
        let once = self.items.iter().filter_map(identity).all(|name| seen.insert(name));
        once && (self.announced.is_some() || wanted.is_subset(&seen))
    }

    /// Why no more of it is read, if so.
    fn exceeds(&self, limits: &Limits) -> Option<String> {
        let most = limits.max_body_mib.saturating_mul(PAGES * 1024 * 1024);
        (self.bytes > most).then(|| format!("its pages are larger than {most} bytes"))
    }

    fn same(&self, other: &Listing, identity: Names<'_>) -> bool {
        self.items.iter().map(identity).eq(other.items.iter().map(identity))
    }

    /// Takes note of how many objects the server announces now.
    fn announce(&mut self, total: Option<usize>) {
        if let (Some(before), Some(now)) = (self.announced, total)
            && before != now
        {
            self.truncated = Some(format!("it went from {before} to {now} objects while it was read"));
        }
        self.announced = total;
    }
}

/// Reads all pages, and those of what is inside of each item where the list has levels.
fn read(
    getter: &Getter,
    setup: &TargetConfig,
    list: &List,
    variables: &Variables,
) -> Result<Listing, Failure> {
    let mut listing = Listing::default();
    let mut asked = BTreeSet::new();
    let top = first(setup, list, variables)?;
    level(getter, setup, list, top.clone(), variables, &mut asked, &mut listing)?;
    let Some(recurse) = &list.recurse else { return Ok(listing) };
    let mut at = 0;
    while let Some(item) = listing.items.get(at).filter(|_| listing.truncated.is_none()) {
        let missing =
            || format!("an item of the list has no `{}`, by which its inside is asked for", recurse.from);
        let inside = item.pointer(&recurse.from).and_then(crate::providers::rest::client::json::text);
        let mut url = top.clone();
        set(&mut url, &recurse.param, &inside.ok_or_else(|| Failure::new(Class::Other, missing()))?);
        level(getter, setup, list, url, variables, &mut asked, &mut listing)?;
        at += 1;
    }
    Ok(listing)
}

/// Reads the pages that begin with `first` to their end.
fn level(
    getter: &Getter,
    setup: &TargetConfig,
    list: &List,
    first: Url,
    variables: &Variables,
    asked: &mut BTreeSet<Url>,
    listing: &mut Listing,
) -> Result<(), Failure> {
    let mut next = Some(first);
    let before = listing.items.len();
    listing.announced = None;
    while let Some(url) = next.take().filter(|_| listing.truncated.is_none()) {
        listing.paged = !asked.is_empty();
        if !asked.insert(url.clone()) {
            listing.truncated = Some("the pages lead back to one that was read already".to_owned());
            break;
        }
        if asked.len() > setup.definition.limits.max_pages {
            let most = setup.definition.limits.max_pages;
            listing.truncated = Some(format!("it has more than {most} pages"));
            break;
        }
        let answer = match &list.query_body {
            None => getter.get(&url)?,
            Some(question) => getter.safe_post(&url, question.question(variables))?,
        };
        let mut answer = answer.filled()?;
        if answer.status == StatusCode::PARTIAL_CONTENT && list.page.style == PageStyle::None {
            listing.truncated = Some("the server says that it is a part of the list (206)".to_owned());
            break;
        }
        listing.bytes += answer.size as u64;
        if let Some(why) = listing.exceeds(&setup.definition.limits) {
            listing.truncated = Some(why);
            break;
        }
        listing.filtered |= is_filtered(list, &answer.headers);
        let items = items(&mut answer.body, answer.status, list)?;
        let count = items.len();
        listing.items.extend(items);
        listing.announce(total(&list.page, &answer));
        let read = Read { have: listing.items.len() - before, count, total: listing.announced };
        next = match following(&list.page, &answer, &url, read)? {
            Next::Page(url) => Some(url),
            Next::End => None,
            Next::Short(why) => {
                listing.truncated = Some(why);
                None
            }
        };
    }
    Ok(())
}

/// Whether an answer says that it leaves something out.
fn is_filtered(list: &List, headers: &HeaderMap) -> bool {
    let header = list.filtered_header.as_ref().and_then(|name| headers.get(name));
    header.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"))
}

/// How much of a list was read.
#[derive(Clone, Copy)]
struct Read {
    /// With all pages so far.
    have: usize,
    /// With the last of them.
    count: usize,
    /// How much the server announced.
    total: Option<usize>,
}

/// What comes after a page.
enum Next {
    /// Another one.
    Page(Url),
    /// Nothing.
    End,
    /// Nothing, although something should.
    Short(String),
}

/// The address of the first page of a list.
///
/// # Errors
/// As [`list`].
pub fn first(setup: &TargetConfig, list: &List, variables: &Variables) -> Result<Url, Failure> {
    let mut url = crate::providers::rest::client::request::url(setup, &list.path, &list.query, variables)?;
    let page = &list.page;
    if let (Some(name), Some(size)) = (&page.size_param, page.size) {
        set(&mut url, name, &size.to_string());
    }
    if let (PageStyle::Page | PageStyle::Offset, Some(name)) = (page.style, &page.param) {
        set(&mut url, name, &page.first.unwrap_or(0).to_string());
    }
    Ok(url)
}

/// Takes the items out of an answer.
fn items(body: &mut Json, status: StatusCode, list: &List) -> Result<Vec<Json>, Failure> {
    if list.empty_when.as_ref().is_some_and(|empty| empty.holds(body)) {
        return Ok(Vec::new());
    }
    match body.pointer_mut(&list.items) {
        Some(Json::Array(items)) => Ok(std::mem::take(items)),
        Some(Json::Object(map)) if list.named.is_some() => {
            Ok(map.iter_mut().map(|item| named(item, list)).collect())
        }
        // Some servers write an empty list as null.
        Some(Json::Null) if status.is_success() => Ok(Vec::new()),
        _ => Err(Failure::new(Class::Other, format!("the answer has no list at `{}`", list.items))),
    }
}

/// An object of a mapping, with its name among its fields; a plain value is one of them too.
fn named((name, value): (&String, &mut Json), list: &List) -> Json {
    let plain = list.value.as_ref().filter(|_| !value.is_object());
    let mut object = if plain.is_some() { Json::Null } else { value.take() };
    crate::providers::rest::client::json::set(
        &mut object,
        list.named.as_deref().unwrap_or_default(),
        Json::String(name.clone()),
    );
    if let Some(pointer) = plain {
        crate::providers::rest::client::json::set(&mut object, pointer, value.take());
    }
    object
}

/// Where the next page is, if there is one.
fn following(page: &Page, answer: &Answer, url: &Url, read: Read) -> Result<Next, Failure> {
    let to = match page.style {
        PageStyle::None => None,
        PageStyle::Link => link(&answer.headers)?.map(|to| join(answer, &to)).transpose()?,
        PageStyle::NextHeader => {
            let name = page.next_header.as_deref().unwrap_or_default();
            let to = answer.headers.get(name).map(text).transpose()?.filter(|to| !to.is_empty());
            to.map(|to| join(answer, to)).transpose()?
        }
        PageStyle::Cursor => {
            let cursor = answer.body.pointer(page.cursor.as_deref().unwrap_or_default());
            let cursor = cursor
                .and_then(crate::providers::rest::client::json::text)
                .filter(|cursor| !cursor.is_empty());
            cursor.map(|cursor| with(url, page, &cursor))
        }
        PageStyle::Page | PageStyle::Offset => return Ok(counted(page, url, read)),
    };
    Ok(to.map_or(Next::End, Next::Page))
}

/// The next of pages that are counted: there is one until the total is reached or a page is empty.
fn counted(page: &Page, url: &Url, Read { have, count, total }: Read) -> Next {
    match total {
        Some(total) if have >= total => return Next::End,
        Some(total) if count == 0 => {
            return Next::Short(format!("it has {have} objects where {total} were announced"));
        }
        None if count == 0 => return Next::End,
        _ => {}
    }
    let at = url.query_pairs().find(|(name, _)| Some(&**name) == page.param.as_deref());
    let at: usize = at.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    let step = if page.style == PageStyle::Page { 1 } else { count };
    Next::Page(with(url, page, &(at + step).to_string()))
}

fn total(page: &Page, answer: &Answer) -> Option<usize> {
    let header =
        page.total_header.as_ref().and_then(|name| answer.headers.get(name)?.to_str().ok()?.parse().ok());
    header.or_else(|| {
        answer.body.pointer(page.total.as_ref()?)?.as_u64().and_then(|total| total.try_into().ok())
    })
}

fn with(url: &Url, page: &Page, value: &str) -> Url {
    let mut next = url.clone();
    set(&mut next, page.param.as_deref().unwrap_or("page"), value);
    next
}

/// Sets one parameter of the query and keeps the others.
fn set(url: &mut Url, name: &str, value: &str) {
    let others: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(key, _)| key != name)
        .map(|(key, value)| (key.into(), value.into()))
        .collect();
    url.query_pairs_mut().clear().extend_pairs(others).append_pair(name, value);
}

fn join(answer: &Answer, to: &str) -> Result<Url, Failure> {
    answer.url.join(to).map_err(|_| Failure::new(Class::Other, "the next page has no address"))
}

/// The target of `rel="next"` (RFC 8288).
fn link(headers: &HeaderMap) -> Result<Option<String>, Failure> {
    let values: Vec<&str> = headers.get_all(LINK).iter().map(text).collect::<Result<_, _>>()?;
    let next = values.iter().flat_map(|value| value.split(',')).find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let next = parameters.split(';').any(|parameter| {
            let rel = parameter.trim().strip_prefix("rel=").unwrap_or_default();
            rel.trim_matches('"').split_whitespace().any(|word| word == "next")
        });
        next.then(|| target.to_owned())
    });
    Ok(next)
}

/// A header that names another page; one that cannot be read must not pass for the end of the list.
fn text(value: &HeaderValue) -> Result<&str, Failure> {
    value.to_str().map_err(|_| Failure::new(Class::Other, "the header that names the next page is no text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_link_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers
            .insert(LINK, "<https://h/a?page=1>; rel=\"prev\", </b?page=3>; rel=\"next\"".parse().unwrap());
        assert_eq!(link(&headers).unwrap().as_deref(), Some("/b?page=3"));
        headers.append(LINK, HeaderValue::from_bytes(b"</c?\xff>; rel=next").unwrap());
        assert!(link(&headers).is_err());
    }

    #[test]
    fn a_parameter_is_replaced_and_the_others_stay() {
        let mut url: Url = "http://h/x?a=1&page=2&b=3".parse().unwrap();
        set(&mut url, "page", "3");
        assert_eq!(url.as_str(), "http://h/x?a=1&b=3&page=3");
    }
}
