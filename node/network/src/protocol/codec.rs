//! Framing of requests and responses: a length of four bytes, checked before anything is read, and a
//! bincode envelope that is decoded under a limit and must fill the frame.

use std::io;

use bincode::config::{self, Configuration, Fixint, Limit, LittleEndian};
use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use libp2p::StreamProtocol;
use libp2p::request_response;

use super::message::{MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES, Request, Response};

/// Why what a peer sent is no request. It reaches the service as a request does, because the behaviour
/// tells of no streams that fail before it knows the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) String);

/// The codec of one stream.
#[derive(Clone, Debug)]
pub(crate) struct SyncCodec {
    /// What the response may have; it is known once the request is written.
    response_limit: usize,
}

impl Default for SyncCodec {
    fn default() -> Self {
        Self {
            response_limit: MAX_RESPONSE_BYTES,
        }
    }
}

impl request_response::Codec for SyncCodec {
    type Protocol = StreamProtocol;
    type Request = Result<Request, Malformed>;
    type Response = Response;

    async fn read_request<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
    ) -> io::Result<Result<Request, Malformed>>
    where
        T: AsyncRead + Unpin + Send,
    {
        let frame = read_frame(io, MAX_REQUEST_BYTES).await;
        match frame.and_then(|frame| decode_request(&frame)) {
            Ok(request) => Ok(Ok(request)),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Ok(Err(Malformed(error.to_string())))
            }
            Err(error) => Err(error),
        }
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Response>
    where
        T: AsyncRead + Unpin + Send,
    {
        decode_response(&read_frame(io, self.response_limit).await?)
    }

    async fn write_request<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        request: Result<Request, Malformed>,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        let request = request.map_err(|Malformed(reason)| invalid(reason))?;
        self.response_limit = request.response_limit();
        write_frame(io, &encode(&request)?).await
    }

    async fn write_response<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        response: Response,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write_frame(io, &encode(&response)?).await
    }
}

fn configuration() -> Configuration<LittleEndian, Fixint, Limit<MAX_RESPONSE_BYTES>> {
    config::legacy().with_limit::<MAX_RESPONSE_BYTES>()
}

fn encode(message: &impl bincode::Encode) -> io::Result<Vec<u8>> {
    bincode::encode_to_vec(message, configuration()).map_err(io::Error::other)
}

fn decode_request(bytes: &[u8]) -> io::Result<Request> {
    let config = config::legacy().with_limit::<MAX_REQUEST_BYTES>();
    let (request, used): (Request, usize) =
        bincode::decode_from_slice(bytes, config).map_err(invalid)?;
    if used != bytes.len() {
        return Err(invalid("bytes after the request"));
    }
    if !request.is_bounded() {
        return Err(invalid("a list of the request is too long"));
    }
    Ok(request)
}

fn decode_response(bytes: &[u8]) -> io::Result<Response> {
    let (response, used): (Response, usize) =
        bincode::decode_from_slice(bytes, configuration()).map_err(invalid)?;
    if used != bytes.len() {
        return Err(invalid("bytes after the response"));
    }
    if !response.is_bounded() {
        return Err(invalid("a list of the response is too long"));
    }
    Ok(response)
}

fn invalid(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

async fn read_frame<T: AsyncRead + Unpin>(io: &mut T, limit: usize) -> io::Result<Vec<u8>> {
    let mut prefix = [0; 4];
    io.read_exact(&mut prefix).await?;
    let length = u32::from_be_bytes(prefix);
    if usize::try_from(length).map_or(true, |length| length > limit) {
        return Err(invalid(format!(
            "a message of {length} bytes, the limit is {limit}"
        )));
    }
    // The buffer grows with what arrives: a length alone makes us reserve nothing.
    let mut bytes = Vec::new();
    io.take(u64::from(length)).read_to_end(&mut bytes).await?;
    if bytes.len() as u64 != u64::from(length) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes)
}

async fn write_frame<T: AsyncWrite + Unpin>(io: &mut T, bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(|_| invalid("a message over 4 GiB"))?;
    io.write_all(&length.to_be_bytes()).await?;
    io.write_all(bytes).await?;
    io.flush().await
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
