package nn

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
)

// A model file, everything little-endian:
//
//	"DORCAS", version (2 bytes)
//	length of the shape (4 bytes), the shape as JSON
//	for each Conv, in order: bytes of a weight (1 byte: 1 or 2), the weights,
//	the biases (4 bytes each)
//	SHA-256 of all of the above
const (
	fileMagic   = "DORCAS"
	fileVersion = 1
	maxShape    = 4 << 20 // bytes of JSON
	// maxBraces bounds the layers before they are decoded: the three bytes
	// that an empty one takes in JSON become a hundred in memory.
	maxBraces = 8 * maxLayers
	// maxChannels bounds the channels of all tensors of a model together: a
	// few bytes of file can ask for many, and Validate needs some for each.
	maxChannels = 1 << 21
)

// MarshalBinary returns the shape as JSON, the same bytes every time.
func (s *Shape) MarshalBinary() ([]byte, error) {
	data, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("nn: shape: %w", err)
	}
	return data, nil
}

// ParseShape reads what MarshalBinary returned. The bytes may be a hostile
// peer's: what comes back is valid.
func ParseShape(data []byte) (*Shape, error) {
	if len(data) > maxShape {
		return nil, fmt.Errorf("nn: shape: %d bytes, at most %d", len(data), maxShape)
	}
	if n := bytes.Count(data, []byte("{")); n > maxBraces {
		return nil, fmt.Errorf("nn: shape: %d objects, at most %d", n, maxBraces)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	s := new(Shape)
	if err := d.Decode(s); err != nil {
		return nil, fmt.Errorf("nn: shape: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("nn: shape: more than one JSON value")
	}
	if err := s.Validate(); err != nil {
		return nil, err
	}
	return s, nil
}

// WriteTo writes the model file; equal models give equal bytes.
func (m *Model) WriteTo(w io.Writer) (int64, error) {
	if err := m.Validate(); err != nil {
		return 0, err
	}
	shape, err := m.Shape.MarshalBinary()
	if err != nil {
		return 0, err
	}
	if len(shape) > maxShape {
		return 0, fmt.Errorf("nn: model file: shape of %d bytes, at most %d", len(shape), maxShape)
	}
	if err := m.Shape.checkChannels(); err != nil {
		return 0, fmt.Errorf("nn: model file: %w", err)
	}
	sum := sha256.New()
	out := &counter{w: w}
	b := bufio.NewWriter(io.MultiWriter(out, sum))
	head := binary.LittleEndian.AppendUint16([]byte(fileMagic), fileVersion)
	b.Write(binary.LittleEndian.AppendUint32(head, uint32(len(shape)))) // errors stick until Flush
	b.Write(shape)
	for _, weights := range m.Weights {
		if weights != nil {
			weights.write(b)
		}
	}
	if err = b.Flush(); err == nil {
		_, err = out.Write(sum.Sum(nil))
	}
	if err != nil {
		return out.n, fmt.Errorf("nn: model file: %w", err)
	}
	return out.n, nil
}

func (s *Shape) checkChannels() error {
	n := s.Input.Dims.C
	for i := range s.Layers {
		n += s.Layers[i].Out.C
	}
	if n > maxChannels {
		return fmt.Errorf("%d channels in all tensors, at most %d", n, maxChannels)
	}
	return nil
}

// counter counts the bytes that w took.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

func (w *Weights) write(b *bufio.Writer) {
	size := byte(1)
	for _, k := range w.W {
		if k != int16(int8(k)) {
			size = 2
		}
	}
	b.WriteByte(size)
	for _, k := range w.W {
		b.WriteByte(byte(k))
		if size == 2 {
			b.WriteByte(byte(k >> 8))
		}
	}
	var four [4]byte
	for _, v := range w.Bias {
		binary.LittleEndian.PutUint32(four[:], uint32(v))
		b.Write(four[:])
	}
}

// ReadModel reads a model file to its end. A file that is not what WriteTo
// wrote gives an error, and never takes more memory than a few times its
// size.
func ReadModel(r io.Reader) (*Model, error) {
	f := fileReader{r: bufio.NewReader(r), sum: sha256.New()}
	m, err := f.model()
	if err != nil {
		return nil, fmt.Errorf("nn: model file: %w", err)
	}
	if err := m.Validate(); err != nil {
		return nil, err
	}
	return m, nil
}

type fileReader struct {
	r   *bufio.Reader
	sum hash.Hash // of all that was read
}

func (f *fileReader) model() (*Model, error) {
	head, err := f.bytes(len(fileMagic) + 6)
	if err != nil || string(head[:len(fileMagic)]) != fileMagic {
		return nil, errors.New("this is no model file")
	}
	if v := binary.LittleEndian.Uint16(head[len(fileMagic):]); v != fileVersion {
		return nil, fmt.Errorf("version %d, this program reads %d", v, fileVersion)
	}
	size := binary.LittleEndian.Uint32(head[len(fileMagic)+2:])
	if size > maxShape {
		return nil, fmt.Errorf("shape of %d bytes, at most %d", size, maxShape)
	}
	data, err := f.bytes(int(size))
	if err != nil {
		return nil, fmt.Errorf("shape: %w", err)
	}
	s, err := ParseShape(data)
	if err != nil {
		return nil, err
	}
	if err := s.checkChannels(); err != nil {
		return nil, err
	}
	m := &Model{Shape: *s, Weights: make([]*Weights, len(s.Layers))}
	for i := range s.Layers {
		if s.Layers[i].Conv == nil {
			continue
		}
		if m.Weights[i], err = f.weights(s, i); err != nil {
			return nil, fmt.Errorf("weights of layer %d %q: %w", i, s.Layers[i].Name, err)
		}
	}
	return m, f.end()
}

// bytes reads n bytes, growing with what is there rather than with n.
func (f *fileReader) bytes(n int) ([]byte, error) {
	var b bytes.Buffer
	if _, err := io.CopyN(io.MultiWriter(&b, f.sum), f.r, int64(n)); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return b.Bytes(), nil
}

func (f *fileReader) weights(s *Shape, i int) (*Weights, error) {
	l := &s.Layers[i]
	size, err := f.bytes(1)
	if err != nil {
		return nil, err
	}
	if size[0] != 1 && size[0] != 2 {
		return nil, fmt.Errorf("%d bytes a weight, want 1 or 2", size[0])
	}
	n := l.Out.C * l.Conv.Taps(s.Dims(l.In[0]))
	data, err := f.bytes(n * int(size[0]))
	if err != nil {
		return nil, err
	}
	bias, err := f.bytes(4 * l.biases())
	if err != nil {
		return nil, err
	}
	w := &Weights{W: make([]int16, n), Bias: make([]int32, l.biases())}
	for j := range w.W {
		if size[0] == 1 {
			w.W[j] = int16(int8(data[j]))
		} else {
			w.W[j] = int16(binary.LittleEndian.Uint16(data[2*j:]))
		}
	}
	for j := range w.Bias {
		w.Bias[j] = int32(binary.LittleEndian.Uint32(bias[4*j:]))
	}
	return w, nil
}

// end checks the sum and that nothing follows it.
func (f *fileReader) end() error {
	want := f.sum.Sum(nil)
	got, err := f.bytes(len(want))
	if err != nil {
		return fmt.Errorf("checksum: %w", err)
	}
	if !bytes.Equal(got, want) {
		return errors.New("checksum does not match: the file is damaged")
	}
	if _, err := f.r.ReadByte(); err != io.EOF {
		return errors.New("bytes after the end")
	}
	return nil
}

// WriteFile writes the model file under a name, all of it or nothing.
func (m *Model) WriteFile(name string) error {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return fmt.Errorf("nn: model file: %w", err)
	}
	defer os.Remove(f.Name()) // fails once the file has its name
	if _, err := m.WriteTo(f); err != nil {
		f.Close()
		return err
	}
	if err = errors.Join(f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return fmt.Errorf("nn: model file: %w", err)
	}
	return nil
}

// ReadFile reads a model file by name.
func ReadFile(name string) (*Model, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("nn: model file: %w", err)
	}
	defer f.Close()
	return ReadModel(f)
}
