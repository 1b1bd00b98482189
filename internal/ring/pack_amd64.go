//go:build amd64 && !purego

package ring

// The widths that the kernels can pack and unpack: a value beginning in any bit
// of a byte fits a word, and one beyond the next shares no byte with it.
const minWidth, maxWidth = 8, 57

// widths is what the kernels need to know of each width; see _asm/pack.go.
var widths = newWidths()

func newWidths() *[maxWidth + 1][256]byte {
	t := new([maxWidth + 1][256]byte)
	for bits := minWidth; bits <= maxWidth; bits++ {
		w := &t[bits]
		for i := 128; i < 256; i++ {
			w[i] = 255
		}
		for v := range 8 {
			first := v * bits / 8
			w[8*v] = byte(v * bits % 8)
			for j := range 8 {
				w[64+8*v+j] = byte(first + j)
				if first+j <= ((v+1)*bits-1)/8 {
					w[128+v%2*64+first+j] = byte(8*v + j)
				}
			}
		}
	}
	return t
}

// vectors returns how many vectors of eight of n values the kernels do, and how
// many of them reach less than 64 bytes before the end of the string.
func vectors(n, packed, bits int) (all, last int) {
	if !vectorised() || bits < minWidth || bits > maxWidth || n < 8 {
		return 0, 0
	}
	all = n / 8
	if packed < 64 {
		return all, all
	}
	return all, all - min(all, (packed-64)/bits+1)
}

func pack(dst []byte, src []uint64, bits, drop int) {
	if v, last := vectors(len(src), len(dst), bits); v > 0 {
		packVBMI(&dst[0], &src[0], v-last, last, bits, drop, &widths[bits])
		dst, src = dst[v*bits:], src[8*v:]
	}
	packGeneric(dst, src, bits, drop)
}

func unpack(dst []uint64, src []byte, bits int) {
	if v, last := vectors(len(dst), len(src), bits); v > 0 {
		unpackVBMI(&dst[0], &src[0], v-last, last, bits, &widths[bits])
		dst, src = dst[8*v:], src[v*bits:]
	}
	unpackGeneric(dst, src, bits)
}
