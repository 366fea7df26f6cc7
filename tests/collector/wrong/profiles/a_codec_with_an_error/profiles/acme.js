function decodeUplink(input) {
  var volume = input.bytes[0] << 8 | input.bytes[1];
  return {data: {volume: volume};
}
