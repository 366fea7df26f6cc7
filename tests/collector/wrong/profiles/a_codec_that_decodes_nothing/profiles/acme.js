function encodeDownlink(input) { return {bytes: []}; }
