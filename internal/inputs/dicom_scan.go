package inputs

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The transfer syntaxes that are read (DICOM PS3.5, annex A).
const (
	implicitLittle  = "1.2.840.10008.1.2"
	explicitLittle  = "1.2.840.10008.1.2.1"
	explicitBig     = "1.2.840.10008.1.2.2"
	jpegBaseline    = "1.2.840.10008.1.2.4.50"
	jpegExtended    = "1.2.840.10008.1.2.4.51"
	undefinedLength = 0xffffffff
	maxNesting      = 16
)

// dicomScan walks over the elements of a DICOM file before the library reads
// it: the library takes memory as lengths in the file say, and follows
// sequences to any depth. What the scan keeps has lengths within the file and
// no sequences.
type dicomScan struct {
	data     []byte
	at       int
	order    binary.ByteOrder
	implicit bool
	syntax   string
	kept     []byte // a head of our own, and the elements that a picture needs
}

var errDicomEnds = errors.New("damaged DICOM file: an element ends beyond the file")

// scanDicom checks a file and drops what is not needed of it.
func scanDicom(data []byte) (*dicomScan, error) {
	if len(data) < 132 || string(data[128:132]) != "DICM" {
		return nil, errors.New("not a DICOM file: it lacks the letters DICM after 128 bytes")
	}
	s := &dicomScan{data: data, at: 132, order: binary.LittleEndian}
	s.syntax = implicitLittle
	for s.at+8 <= len(data) && binary.LittleEndian.Uint16(data[s.at:]) == 2 {
		e, err := s.header()
		if err != nil {
			return nil, err
		}
		if e.length == undefinedLength {
			return nil, errors.New("damaged DICOM file: a meta element without a length")
		}
		if e.element == 0x10 {
			s.syntax = trimmed(data[s.at:][:e.length])
		}
		s.at += int(e.length)
	}
	switch s.syntax {
	case implicitLittle:
		s.implicit = true
	case explicitLittle, jpegBaseline, jpegExtended:
	case explicitBig:
		s.order = binary.BigEndian
	default:
		return nil, fmt.Errorf("its pixels are stored as %s, which is not supported: convert it to uncompressed explicit little endian", syntaxName(s.syntax))
	}
	s.kept = dicomHead(s.syntax)
	for s.at < len(data) {
		from := s.at
		e, err := s.header()
		if err != nil {
			return nil, err
		}
		if err := s.skip(e, 0); err != nil {
			return nil, err
		}
		if e.needed() {
			s.kept = append(s.kept, data[from:s.at]...)
		}
		if e.group == 0x7fe0 && e.element == 0x10 {
			break
		}
	}
	return s, nil
}

// dicomHead returns the beginning of a file, in which nothing but the transfer
// syntax is said.
func dicomHead(syntax string) []byte {
	if len(syntax)%2 == 1 {
		syntax += "\x00"
	}
	b := append(make([]byte, 128), "DICM\x02\x00\x00\x00UL\x04\x00"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(8+len(syntax)))
	b = append(b, "\x02\x00\x10\x00UI"...)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(syntax)))
	return append(b, syntax...)
}

// dicomElement is the beginning of an element.
type dicomElement struct {
	group, element uint16
	vr             string
	length         uint32
}

// needed reports whether a picture depends on the element: the description of
// its pixels, and these.
// Of other representations than those of such values none is kept: the library
// may read their lengths in another way.
func (e *dicomElement) needed() bool {
	switch e.vr {
	case "", "US", "SS", "DS", "IS", "CS", "LO", "OB", "OW":
	default:
		return false
	}
	switch uint32(e.group)<<16 | uint32(e.element) {
	case 0x00280002, 0x00280004, 0x00280006, 0x00280008, 0x00280010, 0x00280011, 0x00280100, 0x00280101,
		0x00280102, 0x00280103, 0x00281050, 0x00281051, 0x00281052, 0x00281053, 0x00281056, 0x7fe00010:
		return true
	}
	return false
}

// header reads the tag, the representation and the length of an element
// (PS3.5, section 7.1) and leaves s at its value, which lies within the file.
func (s *dicomScan) header() (dicomElement, error) {
	if s.at+8 > len(s.data) {
		return dicomElement{}, errDicomEnds
	}
	b := s.data[s.at:]
	order, implicit := s.order, s.implicit
	e := dicomElement{group: order.Uint16(b), element: order.Uint16(b[2:])}
	switch {
	case e.group == 0xfffe || implicit && e.group != 2:
		e.length = order.Uint32(b[4:])
		s.at += 8
	default:
		e.vr = string(b[4:6])
		switch e.vr {
		case "OB", "OD", "OF", "OL", "OV", "OW", "SQ", "UC", "UN", "UR", "UT", "SV", "UV":
			if s.at+12 > len(s.data) {
				return e, errDicomEnds
			}
			e.length = order.Uint32(b[8:])
			s.at += 12
		default:
			e.length = uint32(order.Uint16(b[6:]))
			s.at += 8
		}
	}
	if e.length != undefinedLength && int64(e.length) > int64(len(s.data)-s.at) {
		return e, errDicomEnds
	}
	return e, nil
}

// skip passes over the value of an element; one of undefined length is a
// sequence, an item, or pixels in fragments.
func (s *dicomScan) skip(e dicomElement, depth int) error {
	if e.length != undefinedLength {
		s.at += int(e.length)
		return nil
	}
	if depth == maxNesting {
		return fmt.Errorf("damaged DICOM file: sequences within sequences, more than %d", maxNesting)
	}
	end := uint16(0xe0dd) // of a sequence
	if e.group == 0xfffe {
		end = 0xe00d // of an item
	}
	if e.vr == "UN" && !s.implicit { // PS3.5, section 6.2.2: implicit inside
		s.implicit = true
		defer func() { s.implicit = false }()
	}
	for {
		in, err := s.header()
		if err != nil {
			return err
		}
		if in.group == 0xfffe && in.element == end {
			return nil
		}
		if err := s.skip(in, depth+1); err != nil {
			return err
		}
	}
}

func syntaxName(uid string) string {
	names := map[string]string{
		"1.2.840.10008.1.2.1.99":  "deflated",
		"1.2.840.10008.1.2.4.57":  "lossless JPEG",
		"1.2.840.10008.1.2.4.70":  "lossless JPEG",
		"1.2.840.10008.1.2.4.80":  "JPEG-LS",
		"1.2.840.10008.1.2.4.81":  "JPEG-LS",
		"1.2.840.10008.1.2.4.90":  "JPEG 2000",
		"1.2.840.10008.1.2.4.91":  "JPEG 2000",
		"1.2.840.10008.1.2.4.201": "high-throughput JPEG 2000",
		"1.2.840.10008.1.2.5":     "run lengths (RLE)",
	}
	if n, ok := names[uid]; ok {
		return n
	}
	return fmt.Sprintf("transfer syntax %.64q", uid)
}
