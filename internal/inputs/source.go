package inputs

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxLoaded bounds what is unpacked into memory: an array of a compressed
// file, or a DICOM file. LOCAL.
const maxLoaded = 1 << 29

// source is an array in a file: its header and where its elements are.
type source struct {
	*npy
	// open returns what npy.at counts in, to be closed after use.
	open func() (io.ReaderAt, io.Closer, error)
}

// isArray reports whether a path is an array by its ending.
func isArray(path string) bool {
	base, _, _ := cutMember(path)
	switch kindOf(base) {
	case ".npy", ".npz", ".idx":
		return true
	}
	return false
}

// kindOf returns the ending of a path in lower case, without .gz; .idx stands
// for the names that files of this kind have (train-images-idx3-ubyte.gz).
func kindOf(path string) string {
	name := strings.TrimSuffix(strings.ToLower(filepath.Base(path)), ".gz")
	for _, s := range []string{".idx", "-idx1-ubyte", "-idx3-ubyte", "-idx4-ubyte", ".idx1-ubyte", ".idx3-ubyte"} {
		if strings.HasSuffix(name, s) {
			return ".idx"
		}
	}
	return filepath.Ext(name)
}

// cutMember splits file.npz#name, unless a file has that very name.
func cutMember(path string) (file, member string, ok bool) {
	i := strings.LastIndexByte(path, '#')
	if i < 0 || !strings.EqualFold(filepath.Ext(path[:i]), ".npz") {
		return path, "", false
	}
	if _, err := os.Stat(path); err == nil {
		return path, "", false
	}
	return path[:i], path[i+1:], true
}

// openSource reads the header of an array. Of an archive without a named
// member it takes the only one for which fits is true.
func openSource(path string, fits func(*npy) bool) (*source, error) {
	file, member, named := cutMember(path)
	switch kindOf(file) {
	case ".npz":
		return openNpz(file, member, named, fits)
	case ".idx":
		return openIdx(file)
	}
	f, header, err := openNpy(file)
	if err != nil {
		return nil, err
	}
	f.Close()
	return &source{header, func() (io.ReaderAt, io.Closer, error) {
		f, err := os.Open(file)
		return f, f, err
	}}, nil
}

// inMemory is a source whose elements are loaded.
func inMemory(header *npy, elements []byte) *source {
	h := *header
	h.at = 0
	return &source{&h, func() (io.ReaderAt, io.Closer, error) {
		return bytes.NewReader(elements), io.NopCloser(nil), nil
	}}
}

// openNpz finds an array of a zip archive, as numpy.savez and
// numpy.savez_compressed write them.
func openNpz(path, member string, named bool, fits func(*npy) bool) (*source, error) {
	z, err := zip.OpenReader(path)
	if err != nil {
		if _, stat := os.Stat(path); stat != nil {
			return nil, stat
		}
		return nil, errors.New("not a .npz file: write it with numpy.savez")
	}
	defer z.Close()
	var found []*zip.File
	var names []string
	for _, f := range z.File {
		name, ok := strings.CutSuffix(f.Name, ".npy")
		if !ok {
			continue
		}
		header, err := memberHeader(f)
		if named && name == member {
			if err != nil {
				return nil, err
			}
			return loadMember(f, header)
		}
		if err == nil {
			names = append(names, fmt.Sprintf("%s %v", name, header.shape))
			if fits(header) {
				found = append(found, f)
			}
		}
	}
	slices.Sort(names)
	if named {
		return nil, fmt.Errorf("no array %q in it: it has %s", member, strings.Join(names, ", "))
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("%d of its arrays fit (it has %s): name one, like %s#x", len(found), strings.Join(names, ", "), filepath.Base(path))
	}
	header, err := memberHeader(found[0])
	if err != nil {
		return nil, err
	}
	return loadMember(found[0], header)
}

func memberHeader(f *zip.File) (*npy, error) {
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("damaged .npz file: %s: %w", f.Name, err)
	}
	defer r.Close()
	return readHeader(r, int64(min(f.UncompressedSize64, 1<<62)))
}

func loadMember(f *zip.File, header *npy) (*source, error) {
	n, err := header.bytes(header.shape)
	if err != nil {
		return nil, err
	}
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("damaged .npz file: %s: %w", f.Name, err)
	}
	defer r.Close()
	if _, err := io.CopyN(io.Discard, r, header.at); err != nil {
		return nil, fmt.Errorf("damaged .npz file: %s: %w", f.Name, err)
	}
	data, err := load(r, n)
	if err != nil {
		return nil, fmt.Errorf("damaged .npz file: %s: %w", f.Name, err)
	}
	return inMemory(header, data), nil
}

// load reads n bytes. Memory grows with what is there, not with what a header
// says.
func load(r io.Reader, n int64) ([]byte, error) {
	if n > maxLoaded {
		return nil, fmt.Errorf("%d bytes: at most %d are unpacked; save it uncompressed with numpy.save", n, maxLoaded)
	}
	var b bytes.Buffer
	if have, err := io.CopyN(&b, r, n); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("it ends after %d of %d bytes", have, n)
		}
		return nil, err
	}
	return b.Bytes(), nil
}

// openPlain opens a file and unpacks it if it is a .gz; size is that of the
// contents, or -1 if it is not known.
func openPlain(path string) (r io.Reader, close func(), size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = errors.New("is a folder")
	}
	if err != nil {
		f.Close()
		return nil, nil, 0, err
	}
	if !strings.EqualFold(filepath.Ext(path), ".gz") {
		return f, func() { f.Close() }, info.Size(), nil
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		f.Close()
		return nil, nil, 0, errors.New("not a .gz file, whatever its name says")
	}
	return z, func() { f.Close() }, -1, nil
}
