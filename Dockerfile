# Builds the server; the image holds the binary and nothing to build with.
FROM rust:1.95-bookworm AS build
# The console is built with Node.
COPY --from=node:22-bookworm-slim /usr/local/ /usr/local/
WORKDIR /src
COPY . .
RUN cargo build --release --locked

FROM debian:bookworm-slim
RUN useradd --system --create-home --home-dir /var/lib/cartagena cartagena
COPY --from=build /src/target/release/cartagena /usr/local/bin/cartagena
USER cartagena
ENV CARTAGENA_DATA=/var/lib/cartagena \
    CARTAGENA_LISTEN=0.0.0.0:8080 \
    CARTAGENA_LOG_JSON=true
VOLUME /var/lib/cartagena
EXPOSE 8080
ENTRYPOINT ["cartagena"]
CMD ["serve"]
