//! `undo`: restores what the last write replaced. Also the recovery of a write that was killed, which runs before every
//! command.

use claude_code_core::Result;

use crate::cli::args::Global;
use crate::cli::output::exit;
use crate::cli::output::figures::some;
use crate::cli::output::json;
use crate::cli::output::show;
use crate::cli::setup;
use crate::files::write_journal::{Undone, WriteJournal};

/// Undoes the last write; 1 if a file was left as it is.
pub(crate) fn run(global: Global) -> Result<u8> {
    let undone = WriteJournal::new(&setup::config(global)?.local_dir()?, None).undo()?;
    let Undone { result, restored, left } = &undone;
    if global.json {
        let left: Vec<_> =
            left.iter().map(|(path, why)| serde_json::json!({ "path": path, "why": why })).collect();
        show::out(&json::text(
            &serde_json::json!({ "result": result, "restored": restored, "left": left }),
        )?)?;
    } else {
        restored.iter().try_for_each(|path| show::out(&format!("{}\n", path.display())))?;
    }
    for (path, why) in left {
        show::note(&format!("warning: {} is left as it is: {why}", path.display()));
    }
    let of = result.as_ref().map_or_else(String::new, |id| format!(" of result {id}"));
    show::note(&format!("undone: {}{of}", some(restored.len(), "file")));
    Ok(if left.is_empty() { exit::OK } else { exit::FAILED })
}

/// Takes back what killed commands left half written, and says so.
pub(crate) fn recover(global: Global) {
    let Ok(dir) = setup::config(global).and_then(|config| config.local_dir()) else { return };
    for line in WriteJournal::new(&dir, None).recover() {
        show::note(&format!("note: {line}"));
    }
}
