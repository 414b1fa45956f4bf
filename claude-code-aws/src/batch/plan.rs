//! The plan of a batch: which lane the requests of a model and tier go by, and why. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use claude_code_core::Cost;
use claude_code_core::batch::JobCall;
use claude_code_core::model::catalogue::BatchSupport;

/// Records that a job has at least: Bedrock's quota where nobody changed it.
pub const MINIMUM: usize = 100;
/// The least time that a job is given: even tiny ones take a quarter of an hour and more.
pub const SHORTEST: Duration = Duration::from_secs(3_600);
/// How long a job may take where no deadline is set: the least that the service takes.
pub const USUAL: Duration = Duration::from_secs(24 * 3_600);

/// How requests of a batch are to be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[non_exhaustive]
pub enum Lane {
    /// The cheapest lane that meets the deadline
    #[default]
    Auto,
    /// One by one, as generate does
    OnDemand,
    /// Jobs of Bedrock's batch inference, where they can be
    BedrockBatch,
}

/// What the choice depends on, beside the requests.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// What the caller asked for.
    pub lane: Lane,
    /// When the batch must be done.
    pub deadline: Option<Duration>,
    /// Why there is no lane of jobs here.
    pub no_jobs: Option<String>,
}

impl Wish {
    /// Whether jobs come into question at all.
    pub fn wants_jobs(&self) -> bool {
        self.lane == Lane::BedrockBatch || (self.lane == Lane::Auto && self.deadline.is_some())
    }
}

/// The requests of one model and tier that would be paid for.
#[derive(Clone, Debug)]
pub struct Group {
    /// How many, repeats and cache hits left out.
    pub requests: usize,
    /// The most that they cost on demand, one send each.
    pub on_demand: Cost,
    /// The most that they cost in jobs.
    pub in_jobs: Cost,
    support: BatchSupport,
    obstacle: Option<&'static str>,
}

/// The groups of a batch, by model and tier.
#[derive(Clone, Debug, Default)]
pub struct Groups(pub BTreeMap<(String, String), Group>);

impl Groups {
    /// Adds a request.
    pub fn note(&mut self, call: &JobCall) {
        let name = name(call);
        let group = self.0.entry(name).or_insert_with(|| Group {
            requests: 0,
            on_demand: Cost::ZERO,
            in_jobs: Cost::ZERO,
            support: call.support,
            obstacle: call.obstacle,
        });
        group.requests += 1;
        group.on_demand = group.on_demand + call.estimate.worst_usd;
        group.in_jobs = group.in_jobs + call.ceiling;
    }
}

/// Model and tier of a request.
pub fn name(call: &JobCall) -> (String, String) {
    (call.estimate.model.clone(), call.estimate.tier.to_string())
}

/// The lane of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Choice {
    /// Whether it goes in jobs.
    pub in_jobs: bool,
    /// Why.
    pub why: String,
}

impl Choice {
    /// The lane's name.
    pub fn lane(&self) -> &'static str {
        if self.in_jobs { "bedrock-batch" } else { "on-demand" }
    }

    /// The most that the group costs by it.
    pub fn worst(&self, group: &Group) -> Cost {
        if self.in_jobs { group.in_jobs } else { group.on_demand }
    }
}

/// Chooses the lane of a group.
pub fn choose(group: &Group, wish: &Wish) -> Choice {
    let on_demand = |why: String| Choice { in_jobs: false, why };
    let time = wish.deadline.unwrap_or(USUAL);
    match group {
        _ if wish.lane == Lane::OnDemand => on_demand("as asked for".to_owned()),
        _ if wish.lane == Lane::Auto && wish.deadline.is_none() => {
            on_demand("no --deadline gives a job the time that it needs".to_owned())
        }
        Group { obstacle: Some(obstacle), .. } => on_demand((*obstacle).to_owned()),
        Group { requests, .. } if *requests < MINIMUM => {
            on_demand(format!("a job has at least {MINIMUM} records"))
        }
        _ if time < SHORTEST => {
            on_demand("the deadline is too short for a job: it may take an hour".to_owned())
        }
        Group { support: BatchSupport::Unknown, .. } if wish.lane == Lane::Auto => {
            on_demand("no batch price is known for the model; --lane bedrock-batch tries a job".to_owned())
        }
        _ => match &wish.no_jobs {
            Some(why) => on_demand(why.clone()),
            None if group.support == BatchSupport::Unknown => {
                Choice { in_jobs: true, why: "as asked for; no batch price is known".to_owned() }
            }
            None => Choice { in_jobs: true, why: "half the price".to_owned() },
        },
    }
}

/// The time at the end of a deadline that is kept for what jobs leave over: half a minute for each request, as many at a
/// time as may be; at least five minutes, at most half of the deadline.
pub fn drain(deadline: Duration, requests: usize, concurrency: usize) -> Duration {
    let rounds = requests.div_ceil(concurrency.max(1));
    let needed = Duration::from_secs(30) * u32::try_from(rounds).unwrap_or(u32::MAX);
    needed.max(Duration::from_secs(300)).min(deadline / 2)
}

/// Hours that the engine is given: whole ones, within the service's bounds.
pub fn hours(deadline: Option<Duration>) -> u16 {
    let seconds = deadline.unwrap_or(USUAL).as_secs();
    u16::try_from(seconds.div_ceil(3_600).clamp(24, 168)).unwrap_or(24)
}
