# Two images from one file, for amd64 and arm64:
#   docker build --tag source-jira .
#   docker build --tag destination-s3 --build-arg CONNECTOR=destination-s3 .
# Each has all four programs on its path: docker run --entrypoint tap-jira source-jira --help
ARG NODE=24-trixie-slim

# There is nothing native in the packages, so whatever the image is for, they are made on the builder's own platform.
FROM --platform=$BUILDPLATFORM node:${NODE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY src src
RUN npm run build && find dist -name '*.map' -delete

FROM --platform=$BUILDPLATFORM node:${NODE} AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts

FROM node:${NODE}
# Airbyte mounts files that belong to a user of this number and name; the base image calls its user 1000 "node".
RUN groupmod --new-name airbyte node \
 && usermod --login airbyte --home /airbyte --move-home node \
 && install --directory --owner airbyte --group airbyte /config /custom_cache /secrets
COPY --from=packages /app /app
COPY --from=build /app/dist /app/dist
COPY bin /app/bin
COPY schemas /app/schemas
COPY LICENSE /app/
ARG CONNECTOR=source-jira
RUN ln --symbolic "$CONNECTOR" /app/bin/connector
LABEL io.airbyte.name=jira-to-s3/$CONNECTOR \
      io.airbyte.version=0.1.0 \
      org.opencontainers.image.title=$CONNECTOR \
      org.opencontainers.image.version=0.1.0 \
      org.opencontainers.image.licenses=Apache-2.0
ENV NODE_ENV=production PATH=/app/bin:$PATH
# hadolint ignore=DL3066
USER airbyte
WORKDIR /airbyte
ENV AIRBYTE_ENTRYPOINT=/app/bin/connector
ENTRYPOINT ["/app/bin/connector"]
