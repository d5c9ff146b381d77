//! Random changes of rooms, queues and bindings, applied one after the other: after each, the server has what Git declares
//! and nothing else, whatever was replaced, locked or spelled otherwise on the way.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::store::Stored;
use crate::generators::{self, Dice};

/// What is declared.
#[derive(Clone, Default, PartialEq)]
struct World {
    /// The format of the room, and whether it is locked; `None` for no room.
    room: Option<(u64, bool)>,
    /// The size of each queue.
    queues: BTreeMap<String, u64>,
    /// Queue and key of each binding.
    bindings: BTreeSet<(String, String)>,
}

impl World {
    /// Another one. What is in a locked room does not change while it is locked.
    fn next(&self, generators: &mut Dice) -> World {
        let mut world = self.clone();
        world.room = match self.room {
            _ if generators.chance(8) => None,
            Some((format, _)) if generators.chance(80) => Some((format, generators.chance(25))),
            _ => Some((generators.roll(3), generators.chance(25))),
        };
        match (self.room, world.room) {
            (_, None) => return World::default(),
            (Some((format, true)), Some((_, true))) => {
                world.room = Some((format, true));
                return world;
            }
            (None, Some(_)) => world = World { room: world.room, ..World::default() },
            _ => {}
        }
        for _ in 0..=generators.roll(4) {
            let name = generators.word();
            match generators.roll(4) {
                0 => _ = world.queues.remove(&name),
                1 | 2 => _ = world.queues.insert(name, generators.roll(4)),
                _ => _ = world.bindings.insert((name, generators.word())),
            }
        }
        let gone = (generators.word(), generators.word());
        world.bindings.remove(&gone);
        let queues = &world.queues;
        world.bindings.retain(|(queue, _)| queues.contains_key(queue));
        world
    }

    /// Its declarations, in any spelling.
    fn declared(&self, generators: &mut Dice) -> String {
        let mut spelled =
            |name: &str| if generators.chance(20) { name.to_uppercase() } else { name.to_owned() };
        let Some((format, locked)) = self.room else { return "queue: []\n".to_owned() };
        let room = spelled("r");
        let mut text = format!(
            "scope: {{room: {}}}\nroom: [{{name: {room}, format: f{format}, archived: {locked}}}]\n",
            spelled("r")
        );
        text.push_str("queue:\n");
        for (name, size) in &self.queues {
            text.push_str(&format!("  - {{name: {}, size: {size}}}\n", spelled(name)));
        }
        text.push_str("binding:\n");
        for (queue, key) in &self.bindings {
            text.push_str(&format!("  - {{queue: {}, key: {}}}\n", spelled(queue), spelled(key)));
        }
        text.replace("queue:\nbinding", "queue: []\nbinding").strip_suffix("binding:\n").map_or_else(
            || text.replace("queue:\nbinding", "queue: []\nbinding"),
            |rest| format!("{rest}binding: []\n"),
        )
    }

    /// What the server has to hold.
    fn paths(&self) -> Vec<String> {
        let room = self.room.map(|_| "/rooms/r".to_owned());
        let queues = self.queues.keys().map(|name| format!("/rooms/r/queues/{name}"));
        let bindings = self.bindings.iter().map(|(queue, key)| format!("/rooms/r/bindings/{queue}~{key}"));
        let all: BTreeSet<String> = room.into_iter().chain(queues).chain(bindings).collect();
        all.into_iter().collect()
    }
}

#[test]
fn any_sequence_of_changes_ends_as_git_declares() {
    let (mut generators, trials) = generators::throw(60, 4);
    let (mut stored, mut world, mut history) = (Stored::new(""), World::default(), String::new());
    for trial in 0..trials {
        if trial % 15 == 0 {
            (stored, world, history) = (Stored::new(""), World::default(), String::new());
        }
        world = world.next(&mut generators);
        let declared = world.declared(&mut generators);
        let declared = format!("# Trial {trial}.\n{declared}");
        history.push_str(&format!("---\n{declared}"));
        stored.checkout.commit("all.yaml", &declared);
        let consent = ["--allow-empty", "--max-delete", "1000", "--max-delete-percent", "100"];
        let all = ["--allow-replace", "**", "--allow-protected", "**", "--allow-emptied", "**"];
        let ran = stored.checkout.sandbox.trueup(&[&["apply", "--yes"], &consent[..], &all[..]].concat());
        let said = format!("{history}{}{}", ran.stdout, ran.stderr);
        assert_eq!(ran.exit, 0, "{said}");
        holds(&stored, &world, &said);
        let plan = stored.checkout.sandbox.trueup(&["plan"]);
        assert_eq!(plan.exit, 0, "{said}{}", plan.stdout);
    }
}

fn holds(stored: &Stored, world: &World, said: &str) {
    assert_eq!(stored.store.paths(), world.paths(), "{said}");
    for (name, size) in &world.queues {
        let queue = stored.store.get(&format!("/rooms/r/queues/{name}")).unwrap();
        assert_eq!(queue["size"], json!(size), "{said}");
    }
    let Some((format, locked)) = world.room else { return };
    let room = stored.store.get("/rooms/r").unwrap();
    assert_eq!(
        (&room["format"], &room["archived"]),
        (&json!(format!("f{format}")), &json!(locked)),
        "{said}"
    );
}
