// What a vendor's codec finds around it in QuickJS: what the LoRa Alliance's TS013-1.0.0 promises, the arguments of the
// older forms, and Node's Buffer, which ChirpStack has too. No clock runs here: it is the time of the message.
(load) => {
  const { parse, stringify } = JSON;
  const LENGTH_MAX = 262144;
  const Clock = Date;
  let now = 0;

  Date.now = () => now;
  globalThis.Date = new Proxy(Clock, {
    construct: (target, args, self) => Reflect.construct(target, args.length ? args : [now], self),
    apply: (target) => new target(now).toString(),
  });

  const quiet = () => {};
  globalThis.console = { log: quiet, info: quiet, warn: quiet, error: quiet, debug: quiet };

  class Buffer extends Uint8Array {
    static from(value, encoding) {
      if (typeof value !== "string") return new Buffer(value);
      if (encoding === "hex") return super.from((value.match(/../g) || []).map((pair) => parseInt(pair, 16)));
      const text = encoding && !/^utf-?8$/.test(encoding) ? value : unescape(encodeURIComponent(value));
      return super.from([...text].map((letter) => letter.charCodeAt(0)));
    }

    static alloc(length) {
      return new Buffer(length);
    }

    static concat(list) {
      return super.from(list.flatMap((part) => [...part]));
    }

    static isBuffer(value) {
      return value instanceof Buffer;
    }

    slice(start, end) {
      return this.subarray(start, end);
    }

    toString(encoding, start, end) {
      const bytes = [...this.subarray(start, end)];
      if (encoding === "hex") return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
      const text = bytes.map((byte) => String.fromCharCode(byte)).join("");
      return encoding && !/^utf-?8$/.test(encoding) ? text : decodeURIComponent(escape(text));
    }

    readUIntBE(offset, length) {
      if (offset + length > this.length) throw new RangeError("out of bounds");
      return this.subarray(offset, offset + length).reduce((number, byte) => number * 256 + byte, 0);
    }

    readUIntLE(offset, length) {
      return Buffer.from([...this.subarray(offset, offset + length)].reverse()).readUIntBE(0, length);
    }

    readIntBE(offset, length) {
      const number = this.readUIntBE(offset, length);
      return number < 2 ** (8 * length - 1) ? number : number - 2 ** (8 * length);
    }

    readIntLE(offset, length) {
      return Buffer.from([...this.subarray(offset, offset + length)].reverse()).readIntBE(0, length);
    }
  }
  const readers = { Int8: 1, UInt8: 1, Int16: 2, UInt16: 2, Int32: 4, UInt32: 4, BigInt64: 8, BigUInt64: 8 };
  for (const [name, get] of [
    ...Object.keys(readers).map((name) => [name, name.replace("UInt", "Uint")]),
    ["Float", "Float32"],
    ["Double", "Float64"],
  ]) {
    for (const [order, little] of readers[name] === 1 ? [["", false]] : [["LE", true], ["BE", false]]) {
      const read = function (offset = 0) {
        return new DataView(this.buffer, this.byteOffset, this.byteLength)[`get${get}`](offset, little);
      };
      Buffer.prototype[`read${name}${order}`] = read;
      Buffer.prototype[`read${name.replace("UInt", "Uint")}${order}`] = read;
    }
  }
  globalThis.Buffer = Buffer;

  // The codec's file is run anew for every message, as network servers do: what one leaves in its variables no other finds.
  const find = () => {
    const module = { exports: {} };
    const own = load.call(globalThis, module, module.exports);
    const pick = (name) => own[name] || (module.exports && module.exports[name]);
    const [decodeUplink, Decoder, Decode] = ["decodeUplink", "Decoder", "Decode"].map(pick);
    if (decodeUplink) return decodeUplink;
    if (Decoder) return ({ bytes, fPort }) => ({ data: Decoder(bytes, fPort) });
    return Decode && (({ bytes, fPort, variables }) => ({ data: Decode(fPort, bytes, variables) }));
  };

  // Without bytes it only says what is wrong with the file.
  const answer = (bytes, fPort, time) => {
    let loading = true;
    try {
      now = time;
      const decode = find();
      loading = false;
      if (!decode) return { missing: true };
      if (bytes === null) return {};
      const output = decode({ bytes: parse(bytes), fPort, recvTime: new Clock(time), variables: {} }) || {};
      return output.errors && output.errors.length ? { errors: output.errors } : { data: output.data };
    } catch (error) {
      return { thrown: `${error}`, stack: `${error && error.stack}`, loading };
    }
  };

  return (bytes, fPort, time) => {
    try {
      const text = stringify(answer(bytes, fPort, time));
      return text.length > LENGTH_MAX ? '{"long":true}' : text;
    } catch (error) {
      return stringify({ thrown: `${error}`, stack: "" });
    }
  };
};
