/** Whether it is an IP address, of four parts or of version 6. */
export function isAddress(text: string): boolean {
  return isV4(text) || (/^[0-9a-f:.]+$/i.test(text) && text.includes(':') && URL.canParse(`http://[${text}]`))
}

/** Whether it is an IPv4 address. */
export function isV4(text: string): boolean {
  const parts = text.split('.')
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)
}

/** Whether it is an IPv4 address with the length of its network's prefix, `192.168.1.20/24`. */
export function isV4Network(text: string): boolean {
  const [address = '', length = '', ...rest] = text.split('/')
  return rest.length === 0 && isV4(address) && /^([1-9]|[12]\d|3[0-2])$/.test(length)
}
