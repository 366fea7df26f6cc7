function decodeUplink(input) {
  if (input.fPort === 2) {
    return {data: {volume: input.bytes[0]}};
}
