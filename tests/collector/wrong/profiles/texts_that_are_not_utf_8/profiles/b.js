function decodeUplink(input) {
  // Ë®±í
  return {data: {v: 1}};
}
