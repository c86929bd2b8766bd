//! The calls of Flight.

use std::sync::Arc;

use arrow_flight::flight_service_server::FlightService;
use arrow_flight::{
    Action, ActionType, Criteria, Empty, FlightData, FlightDescriptor, FlightInfo,
    HandshakeRequest, HandshakeResponse, PollInfo, PutResult, Result as Done, SchemaResult, Ticket,
};
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use tonic::metadata::MetadataValue;
use tonic::{Request, Response, Status, Streaming};

use super::Desk;
use super::actions::ACTIONS;
use super::handle::as_message;
use super::statement::Rows;
use crate::doors::access::Token;

/// Flight, at one desk.
pub(super) struct Service {
    desk: Arc<Desk>,
}

impl Service {
    pub(super) const fn new(desk: Arc<Desk>) -> Self {
        Self { desk }
    }
}

fn one<T: Send + 'static>(answer: T) -> Response<BoxStream<'static, Result<T, Status>>> {
    Response::new(stream::iter([Ok(answer)]).boxed())
}

#[tonic::async_trait]
impl FlightService for Service {
    type HandshakeStream = BoxStream<'static, Result<HandshakeResponse, Status>>;
    type ListFlightsStream = BoxStream<'static, Result<FlightInfo, Status>>;
    type DoGetStream = Rows;
    type DoPutStream = BoxStream<'static, Result<PutResult, Status>>;
    type DoExchangeStream = BoxStream<'static, Result<FlightData, Status>>;
    type DoActionStream = BoxStream<'static, Result<Done, Status>>;
    type ListActionsStream = BoxStream<'static, Result<ActionType, Status>>;

    /// Whoever comes this far is known: a password is exchanged for the token, which it is.
    async fn handshake(
        &self,
        _: Request<Streaming<HandshakeRequest>>,
    ) -> Result<Response<Self::HandshakeStream>, Status> {
        let token = self.desk.token.as_ref().map(Token::secret);
        let payload = token.unwrap_or_default().as_bytes().to_vec().into();
        let mut response = one(HandshakeResponse { protocol_version: 0, payload });
        if let Some(token) = token {
            let bearer = MetadataValue::try_from(format!("Bearer {token}"));
            let bearer = bearer.map_err(|_| Status::internal("the token cannot be told"))?;
            response.metadata_mut().insert("authorization", bearer);
        }
        Ok(response)
    }

    /// There are none beside those that are asked for.
    async fn list_flights(
        &self,
        _: Request<Criteria>,
    ) -> Result<Response<Self::ListFlightsStream>, Status> {
        Ok(Response::new(stream::empty().boxed()))
    }

    async fn get_flight_info(
        &self,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.desk.flight_info(request.into_inner()).await.map(Response::new)
    }

    /// Answers begin when they are asked for: there is nothing to wait for.
    async fn poll_flight_info(
        &self,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<PollInfo>, Status> {
        let info = self.desk.flight_info(request.into_inner()).await?;
        Ok(Response::new(PollInfo::new().with_info(info)))
    }

    async fn get_schema(
        &self,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<SchemaResult>, Status> {
        let columns = self.desk.columns_asked(&request.into_inner()).await?;
        Ok(Response::new(SchemaResult { schema: as_message(&columns)? }))
    }

    async fn do_get(
        &self,
        request: Request<Ticket>,
    ) -> Result<Response<Self::DoGetStream>, Status> {
        self.desk.flight(request.into_inner()).await.map(Response::new)
    }

    async fn do_put(
        &self,
        request: Request<Streaming<FlightData>>,
    ) -> Result<Response<Self::DoPutStream>, Status> {
        self.desk.put(request.into_inner()).await.map(one)
    }

    async fn do_exchange(
        &self,
        _: Request<Streaming<FlightData>>,
    ) -> Result<Response<Self::DoExchangeStream>, Status> {
        Err(Status::unimplemented("this server takes no rows"))
    }

    async fn do_action(
        &self,
        request: Request<Action>,
    ) -> Result<Response<Self::DoActionStream>, Status> {
        let done = self.desk.act(&request.into_inner()).await?;
        Ok(Response::new(stream::iter(done.map(|body| Ok(Done { body }))).boxed()))
    }

    async fn list_actions(
        &self,
        _: Request<Empty>,
    ) -> Result<Response<Self::ListActionsStream>, Status> {
        let all = ACTIONS.iter().map(|action| {
            Ok(ActionType { r#type: action.name.to_owned(), description: action.doc.to_owned() })
        });
        Ok(Response::new(stream::iter(all).boxed()))
    }
}
