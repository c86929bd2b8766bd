//! What can be asked to be done beside answering: statements prepared and given back, queries cancelled.

use arrow_flight::sql::{
    ActionCancelQueryRequest, ActionCancelQueryResult, ActionClosePreparedStatementRequest,
    ActionCreatePreparedStatementRequest, Any, ProstMessageExt,
};
use arrow_flight::{
    Action, CancelFlightInfoRequest, CancelFlightInfoResult, CancelStatus, FlightInfo,
};
use bytes::Bytes;
use prost::Message;
use tonic::Status;

use super::Desk;
use super::handle::Handle;

/// Something that can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Prepare,
    GiveBack,
    Cancel,
    CancelQuery,
}

/// An action, as clients name it.
pub(super) struct Known {
    pub(super) name: &'static str,
    /// What it does, for those who list them.
    pub(super) doc: &'static str,
    deed: Deed,
}

/// All that can be done.
pub(super) static ACTIONS: [Known; 4] = [
    Known {
        name: "CreatePreparedStatement",
        doc: "Prepares a statement. Takes ActionCreatePreparedStatementRequest, gives ActionCreatePreparedStatementResult.",
        deed: Deed::Prepare,
    },
    Known {
        name: "ClosePreparedStatement",
        doc: "Gives a prepared statement back. Takes ActionClosePreparedStatementRequest.",
        deed: Deed::GiveBack,
    },
    Known {
        name: "CancelFlightInfo",
        doc: "Cancels a query. Takes CancelFlightInfoRequest, gives CancelFlightInfoResult.",
        deed: Deed::Cancel,
    },
    Known {
        name: "CancelQuery",
        doc: "Cancels a query, as older clients ask for it. Takes ActionCancelQueryRequest, gives ActionCancelQueryResult.",
        deed: Deed::CancelQuery,
    },
];

impl Desk {
    /// Does what is asked for.
    ///
    /// - returns: what there is to tell of it.
    pub(super) async fn act(&self, action: &Action) -> Result<Option<Bytes>, Status> {
        let named = ACTIONS.iter().find(|known| known.name == action.r#type);
        let Some(Known { deed, .. }) = named else {
            return Err(Status::unimplemented(
                "this server only reads; ListActions tells what it does",
            ));
        };
        Ok(match deed {
            Deed::Prepare => {
                let request: ActionCreatePreparedStatementRequest = unpacked(&action.body)?;
                Some(packed(&self.prepare(&request.query).await?))
            }
            Deed::GiveBack => {
                let _: ActionClosePreparedStatementRequest = unpacked(&action.body)?;
                None
            }
            Deed::Cancel => {
                let request = CancelFlightInfoRequest::decode(action.body.clone())
                    .map_err(|error| broken(&error))?;
                let status = self.cancel(request.info.as_ref());
                Some(CancelFlightInfoResult::new(status).encode_to_vec().into())
            }
            Deed::CancelQuery => {
                let request: ActionCancelQueryRequest = unpacked(&action.body)?;
                let info = FlightInfo::decode(request.info).map_err(|error| broken(&error))?;
                // The numbers of both are the same.
                Some(packed(&ActionCancelQueryResult { result: self.cancel(Some(&info)).into() }))
            }
        })
    }

    /// Tells the query of a ticket to stop.
    fn cancel(&self, info: Option<&FlightInfo>) -> CancelStatus {
        let tickets =
            info.into_iter().flat_map(|info| &info.endpoint).filter_map(|of| of.ticket.as_ref());
        let ids = tickets.filter_map(|ticket| Handle::of_ticket(&ticket.ticket)?.id());
        let stopped = ids.filter(|id| self.answers.cancel(*id)).count();
        if stopped > 0 { CancelStatus::Cancelled } else { CancelStatus::NotCancellable }
    }
}

fn unpacked<T: ProstMessageExt>(body: &Bytes) -> Result<T, Status> {
    let any = Any::decode(body.clone()).map_err(|error| broken(&error))?;
    any.unpack()
        .ok()
        .flatten()
        .ok_or_else(|| Status::invalid_argument(format!("a {} was expected", T::type_url())))
}

fn packed(result: &impl ProstMessageExt) -> Bytes {
    result.as_any().encode_to_vec().into()
}

fn broken(error: &prost::DecodeError) -> Status {
    Status::invalid_argument(format!("the message cannot be read: {error}"))
}
