function decodeUpLink(input) {
  return {data: {volume: input.bytes[0]}};
}
