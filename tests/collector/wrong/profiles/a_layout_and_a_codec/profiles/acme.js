function decodeUplink(input) { return {data: {volume: input.bytes[0]}}; }
