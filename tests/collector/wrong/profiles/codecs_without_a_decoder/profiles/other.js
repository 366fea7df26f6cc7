var parser = require('binary-parser');
function decodeUplink(input) {
  return {data: parser.parse(input.bytes)};
}
