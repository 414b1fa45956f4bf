//! Claude on Amazon Bedrock, over ConverseStream: one attempt per call, the SDK's own retries off.

mod access;
#[cfg_attr(not(feature = "local"), allow(dead_code, reason = "only the doctor asks about models"))]
pub(crate) mod control;
mod error;
mod event;
mod facts;
mod guard;
mod order;
mod request;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::SdkConfig;
use aws_sdk_bedrockruntime::Client;
use aws_sdk_bedrockruntime::primitives::event_stream::EventReceiver;
use aws_sdk_bedrockruntime::types::ConverseStreamOutput;
use aws_sdk_bedrockruntime::types::error::ConverseStreamOutputError;
use aws_smithy_types::retry::RetryConfig;
use claude_code_core::money::usage_figures::UsageFigures;
use claude_code_core::provider::{Billing, ModelCall, ModelEvent, ModelProvider, ProviderError};
use claude_code_core::{ErrorKind, ModelId};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};

use crate::connect::credentials::Rotating;
use crate::connect::{Network, transport};
use crate::model_service::usage;
use control::Control;
use order::Order;

/// Claude through Bedrock's runtime.
#[derive(Clone)]
pub struct Bedrock {
    current: Arc<Mutex<Current>>,
    control: Control,
    /// The same in other regions, by their names.
    elsewhere: Arc<BTreeMap<Arc<str>, Bedrock>>,
    /// The same in the regions that ARNs name.
    of_arns: Arc<Mutex<BTreeMap<String, Bedrock>>>,
    config: Arc<SdkConfig>,
    host: Arc<str>,
    name: &'static str,
}

/// The client in use. It is replaced when AWS says that its credentials have ended, for the SDK keeps them in it.
#[derive(Clone, Debug)]
struct Current {
    client: Client,
    number: u64,
}

impl std::fmt::Debug for Bedrock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bedrock").field("host", &self.host).field("name", &self.name).finish_non_exhaustive()
    }
}

impl Bedrock {
    /// Bedrock as this configuration reaches it. Retries are the client's alone; timeouts that the SDK has do not
    /// guard event streams, so ours do. Connections are ours too, unless the configuration brings an HTTP client.
    pub fn new(config: &SdkConfig) -> Self {
        let config = match config.http_client() {
            Some(_) => config.clone(),
            None => config.to_builder().http_client(transport::client(&Network::default())).build(),
        };
        let config = Arc::new(config);
        Bedrock {
            current: Arc::new(Mutex::new(Current { client: client(&config), number: 0 })),
            control: Control::new(&config),
            elsewhere: Arc::default(),
            of_arns: Arc::default(),
            host: host(&config).into(),
            config,
            name: "bedrock",
        }
    }

    /// The same under another name, for what stands behind a Bedrock endpoint that is not AWS's.
    pub fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// With the same models in other regions, which calls name as their [`place`](ModelCall::place).
    pub fn with_regions(mut self, regions: &[Arc<str>]) -> Self {
        let there = |region: &Arc<str>| {
            let place = aws_config::Region::new(region.to_string());
            let config = self.config.to_builder().region(place).build();
            (region.clone(), Bedrock { name: self.name, ..Bedrock::new(&config) })
        };
        self.elsewhere = Arc::new(regions.iter().map(there).collect());
        self
    }

    /// Where a call goes: to the place that it names, else to its ARN's region, else to the configured one.
    fn at(&self, call: &ModelCall) -> Result<Bedrock, ProviderError> {
        let Some(place) = &call.place else { return Ok(self.in_region_of(&call.model)) };
        self.elsewhere.get(place).cloned().ok_or_else(|| {
            ProviderError::new(
                ErrorKind::InvalidRequest,
                Billing::No,
                format!("region {place} was not configured"),
            )
        })
    }

    /// The same in the region that an ARN names: Bedrock refuses it everywhere else.
    pub(super) fn in_region_of(&self, model: &ModelId) -> Bedrock {
        let own = self.config.region().map(|region| region.as_ref());
        let Some(region) = arn_region(model).filter(|region| Some(*region) != own) else {
            return self.clone();
        };
        let mut known = self.of_arns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(there) = known.get(region) {
            return there.clone();
        }
        let config = self.config.to_builder().region(aws_config::Region::new(region.to_owned())).build();
        let there = Bedrock { name: self.name, ..Bedrock::new(&config) };
        // Ids come from callers: what is kept of them must be bounded.
        if known.len() < MAX_REGIONS {
            known.insert(region.to_owned(), there.clone());
        }
        there
    }

    fn current(&self) -> Current {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets the credentials that this client was refused with. Of all who were refused with them one does it.
    fn renew(&self, refused: &Current) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.number == refused.number {
            *current = Current { client: client(&self.config), number: refused.number + 1 };
        }
    }

    async fn open(&self, call: ModelCall) -> Result<Open, ProviderError> {
        let provider = self.at(&call)?;
        let current = provider.current();
        match request::send(&current.client, &call).await {
            Ok(output) => Ok(Open::new(output.stream, call)),
            Err(failed) => {
                let fault = error::before_stream(&call, failed);
                if fault.code.as_deref().is_some_and(error::is_ended_token) {
                    provider.renew(&current);
                }
                Err(fault)
            }
        }
    }
}

/// Regions that ARNs may name at a time; AWS has about forty.
const MAX_REGIONS: usize = 64;

/// `arn:aws:bedrock:eu-west-1:111122223333:application-inference-profile/…`: the region, where it is one by its form.
fn arn_region(model: &ModelId) -> Option<&str> {
    let region = model.as_str().strip_prefix("arn:").filter(|_| model.is_arn())?.split(':').nth(2)?;
    let sign = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    ((3..=30).contains(&region.len()) && region.bytes().all(sign)).then_some(region)
}

/// A client with an identity cache of its own.
fn client(config: &SdkConfig) -> Client {
    let config = aws_sdk_bedrockruntime::config::Builder::from(config)
        .retry_config(RetryConfig::disabled())
        .identity_cache(Rotating::new())
        .build();
    Client::from_conf(config)
}

/// The address of the runtime: what environment or profile name, else AWS's own of the region, FIPS or dual-stack.
pub(crate) fn runtime_url(config: &SdkConfig) -> String {
    if let Some(url) = crate::connect::endpoints::endpoint(config, "Bedrock Runtime") {
        return url;
    }
    let region = config.region().map_or("us-east-1", |region| region.as_ref());
    let fips = if config.use_fips() == Some(true) { "-fips" } else { "" };
    let domain = match config.use_dual_stack() == Some(true) {
        true => "api.aws",
        false => "amazonaws.com",
    };
    format!("https://bedrock-runtime{fips}.{region}.{domain}")
}

fn host(config: &SdkConfig) -> String {
    let url = runtime_url(config).parse::<http::Uri>().ok();
    url.and_then(|url| url.host().map(str::to_owned)).unwrap_or_default()
}

impl ModelProvider for Bedrock {
    fn name(&self) -> &'static str {
        self.name
    }

    fn stream(&self, call: ModelCall) -> BoxStream<'static, Result<ModelEvent, ProviderError>> {
        let provider = self.clone();
        stream::unfold(Phase::Unsent(Box::new((provider, call))), |phase| async move {
            let mut open = match phase {
                Phase::Unsent(unsent) => match unsent.0.open(unsent.1).await {
                    Ok(open) => Box::new(open),
                    Err(fault) => return Some((Err(fault), Phase::Ended)),
                },
                Phase::Open(open) => open,
                Phase::Ended => return None,
            };
            match open.next().await {
                Some(Ok(event)) => Some((Ok(event), Phase::Open(open))),
                Some(Err(fault)) => Some((Err(fault), Phase::Ended)),
                None => None,
            }
        })
        .boxed()
    }
}

/// Where a call stands.
enum Phase {
    Unsent(Box<(Bedrock, ModelCall)>),
    Open(Box<Open>),
    Ended,
}

/// A call whose answer arrives.
struct Open {
    events: EventReceiver<ConverseStreamOutput, ConverseStreamOutputError>,
    order: Order,
    call: ModelCall,
    /// Whether the model wrote anything.
    wrote: bool,
    /// The largest figure of each kind.
    figures: UsageFigures,
    /// The usage, behind the note about it.
    usage: Option<ModelEvent>,
}

impl Open {
    fn new(events: EventReceiver<ConverseStreamOutput, ConverseStreamOutputError>, call: ModelCall) -> Self {
        let (order, figures) = (Order::default(), UsageFigures::default());
        Open { events, order, call, wrote: false, figures, usage: None }
    }

    async fn next(&mut self) -> Option<Result<ModelEvent, ProviderError>> {
        if let Some(usage) = self.usage.take() {
            return Some(Ok(usage));
        }
        let arrived = match self.events.recv().await {
            Ok(arrived) => arrived?,
            Err(failed) => return Some(Err(error::within_stream(&self.call, failed))),
        };
        if let Err(disorder) = self.order.check(&arrived) {
            return Some(Err(disorder));
        }
        if let ConverseStreamOutput::Metadata(metadata) = &arrived
            && let Some(found) = event::told(metadata)
        {
            self.figures.merge(&found);
            let (note, usage) = usage::bill(&self.figures, self.wrote);
            self.usage = usage;
            return Some(Ok(note.or_else(|| self.usage.take()).unwrap_or(ModelEvent::Alive)));
        }
        let event = event::translate(arrived);
        self.wrote |= matches!(event, ModelEvent::Text(_) | ModelEvent::Thinking { .. });
        Some(Ok(event))
    }
}
