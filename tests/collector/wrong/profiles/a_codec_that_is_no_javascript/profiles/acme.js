// A water meter with a radio.
function decodeUplink(input) {
  var volume = input.bytes[0] + * 256;
  return {data: {volume: volume}};
}
