//! Service list of a scope: one small row for each service.

use serde::{Deserialize, Serialize};

use super::conversation::Conversation;
use super::step::TOTAL_STEPS;
use super::store::{Code, RowKey, Services};
use crate::state::Scope;
use crate::store::cut;
use crate::{ErrorKind, Result};

/// The most that one page of the list has.
pub const MAX_SERVICES: usize = 100;
/// The longest part of the purpose that the list shows, in bytes.
const SHOWN: usize = 200;

/// A service as the list shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceEntry {
    /// Its conversation.
    pub conversation_id: String,
    /// As its owner named it, else what kind of service it is.
    pub name: String,
    /// What it does, cut.
    pub intent: String,
    /// The step that waits for an answer, from 1; the last one where all are answered.
    pub step: usize,
    /// How many there are.
    pub total_steps: usize,
    /// Whether all are answered.
    pub done: bool,
    /// The service, once its files were begun.
    pub service_id: Option<String>,
    /// The newest written code.
    pub code_id: Option<String>,
    /// Whether no check found an error in it.
    pub accepted: Option<bool>,
    /// What its run cost, as a decimal string.
    pub total_usd: Option<String>,
    /// `2026-11-21T20:46:00.123Z`.
    pub updated_at: String,
}

/// A page of the list, newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct ServicePage {
    /// The services.
    pub items: Vec<ServiceEntry>,
    /// Where the next page begins; none behind the last.
    pub next: Option<String>,
}

impl Services {
    /// The services of a scope, newest first, from behind `after`.
    pub async fn list(&self, scope: &Scope, limit: usize, after: Option<&str>) -> Result<ServicePage> {
        let limit = limit.clamp(1, MAX_SERVICES);
        let after = after.map(|id| list_key(scope, id).sk);
        let rows = self.store.rows(&list_key(scope, "").pk, limit + 1, after.as_deref()).await?;
        let more = rows.len() > limit;
        let read = |row: super::store::Row| serde_json::from_value(row.body).ok();
        let items: Vec<ServiceEntry> =
            rows.into_iter().take(limit).filter(|row| row.scope == *scope).filter_map(read).collect();
        let next = items.last().filter(|_| more).map(|last| last.conversation_id.clone());
        Ok(ServicePage { items, next })
    }

    /// Sums a conversation up in the list. What is known of its code stays, unless `code` tells anew.
    pub(super) async fn note(
        &self,
        scope: &Scope,
        conversation: &Conversation,
        code: Option<&Code>,
    ) -> Result<()> {
        let key = list_key(scope, &conversation.id);
        let before = self.store.row(&key).await?.and_then(|row| serde_json::from_value(row.body).ok());
        let before: Option<ServiceEntry> = before;
        let entry = ServiceEntry {
            conversation_id: conversation.id.clone(),
            name: conversation.name().to_owned(),
            intent: cut(&conversation.data.intent, SHOWN).to_owned(),
            step: conversation.step().unwrap_or(TOTAL_STEPS),
            total_steps: TOTAL_STEPS,
            done: conversation.step().is_none(),
            service_id: conversation.code.as_ref().map(|code| code.service_id.clone()),
            code_id: code
                .map(|code| code.code_id.clone())
                .or(before.as_ref().and_then(|b| b.code_id.clone())),
            accepted: code.map(|code| code.accepted).or(before.as_ref().and_then(|b| b.accepted)),
            total_usd: match code {
                Some(code) => serde_json::to_value(&code.receipt)
                    .ok()
                    .and_then(|receipt| receipt["total_usd"].as_str().map(str::to_owned)),
                None => before.and_then(|before| before.total_usd),
            },
            updated_at: self.clock.now().iso(),
        };
        self.put(scope, &key, &entry, crate::state::OnlyIf::Any).await.map(|_| ())
    }

    /// Erases a service: its place in the list, its conversation, its rows and files. `NotFound` outside the scope.
    pub async fn erase(&self, scope: &Scope, id: &str) -> Result<()> {
        let (conversation, _) = self.conversation(scope, id).await?;
        for code in conversation.codes() {
            self.store.delete_files(&format!("{}/{}/", code.service_id, code.code_id)).await?;
            self.store.delete_row(&code_key(&code.service_id, &code.code_id)).await?;
        }
        if let Some(code) = &conversation.code {
            self.store.delete_row(&metadata_key(&code.service_id)).await?;
        }
        // The conversation last but one: until then the erasure can be repeated.
        self.store.delete_row(&list_key(scope, id)).await?;
        self.store.delete_row(&super::store::conversation_key(id)).await
    }

    /// The newest of a conversation's codes that was written to its end.
    pub async fn newest(&self, scope: &Scope, conversation: &Conversation) -> Result<Option<Code>> {
        for code in conversation.codes().into_iter().rev() {
            match self.code(scope, &code.service_id, &code.code_id).await {
                Ok(code) => return Ok(Some(code)),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}

fn list_key(scope: &Scope, id: &str) -> RowKey {
    RowKey { pk: format!("SCOPE#{}", scope.as_str()), sk: format!("SERVICE#{id}") }
}

fn code_key(service_id: &str, code_id: &str) -> RowKey {
    super::store::service_key(service_id, format!("CODE#{code_id}"))
}

fn metadata_key(service_id: &str) -> RowKey {
    super::store::service_key(service_id, "METADATA".into())
}
