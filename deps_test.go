package dorcas_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// floors is the order of the packages: each imports only packages of lower
// floors. A package that is not here fails the test.
var floors = map[string]int{
	"nn":                  0,
	"nn/onnx/internal/pb": 0,
	"internal/circuit":    0,
	"internal/wire":       0,
	"internal/impl":       0,

	"nn/onnx":                1,
	"internal/block":         1,
	"internal/ring":          1,
	"internal/inputs":        1,
	"internal/wire/wiretest": 1,
	"internal/impl/impltest": 1,

	"internal/garble": 2,
	"internal/ot":     2,
	"internal/rlwe":   2,

	"internal/linear":   3,
	"internal/protocol": 4,

	".":         5,
	"transport": 5,

	"internal/report": 5,

	"internal/serve": 6,

	"cmd/dorcas": 7,
	"examples":   7,
}

// Only these floors, and packages that serve tests, may print, log, read the
// environment or exit.
const talking = 7

// The size of what one reader can hold in mind; generated code aside.
const (
	maxFileLines     = 700
	maxFunctionLines = 80
)

// The protocol core imports nothing from outside but what is listed.
var coreImports = map[string][]string{
	"internal/impl": {"golang.org/x/sys/cpu"},
	"internal/ot":   {"github.com/cloudflare/circl/group"},
}

type source struct {
	pkg, path string
	file      *ast.File
	fset      *token.FileSet
	lines     int
	generated bool
}

// sources parses every Go file of the module that is not a test.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			nested, _ := filepath.Glob(filepath.Join(path, "go.mod"))
			if path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || len(nested) > 0) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, path, text, parser.ParseComments)
		if err != nil {
			return err
		}
		all = append(all, source{
			filepath.ToSlash(filepath.Dir(path)), path, f, fset, strings.Count(string(text), "\n"), ast.IsGenerated(f),
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Fatalf("found only %d files", len(all))
	}
	return all
}

func floorOf(pkg string) (int, bool) {
	if strings.HasPrefix(pkg, "examples/") {
		pkg = "examples"
	}
	f, ok := floors[pkg]
	return f, ok
}

func TestFloors(t *testing.T) {
	for _, s := range sources(t) {
		floor, ok := floorOf(s.pkg)
		if !ok {
			t.Errorf("%s: package %q has no floor in deps_test.go", s.path, s.pkg)
			continue
		}
		for _, spec := range s.file.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			if path == "dorcas" {
				path = "dorcas/."
			}
			if inside, ok := strings.CutPrefix(path, "dorcas/"); ok {
				if f, ok := floorOf(inside); !ok || f >= floor {
					t.Errorf("%s (floor %d) imports %s (floor %d)", s.path, floor, inside, f)
				}
				continue
			}
			checkOutside(t, s, floor, path)
		}
	}
}

// checkOutside keeps the protocol core to the standard library, and network,
// printing and process control out of the libraries.
func checkOutside(t *testing.T, s source, floor int, path string) {
	t.Helper()
	if floor < talking {
		switch path {
		case "log", "log/slog", "flag", "os/signal":
			t.Errorf("%s: a library imports %s", s.path, path)
		}
	}
	if strings.Contains(strings.Split(path, "/")[0], ".") && strings.HasPrefix(s.pkg, "internal/") && s.pkg != "internal/inputs" {
		for _, allowed := range coreImports[s.pkg] {
			if path == allowed {
				return
			}
		}
		t.Errorf("%s: the protocol core imports %s", s.path, path)
	}
	if strings.HasPrefix(path, "google.golang.org/protobuf") && !strings.HasPrefix(s.pkg, "nn/onnx") {
		t.Errorf("%s: only nn/onnx knows protobuf", s.path)
	}
}

func TestLibrariesAreSilent(t *testing.T) {
	loud := map[string]bool{
		"fmt.Print": true, "fmt.Println": true, "fmt.Printf": true,
		"os.Exit": true, "os.Getenv": true, "os.LookupEnv": true, "os.Stdout": true, "os.Stderr": true,
	}
	for _, s := range sources(t) {
		if floor, _ := floorOf(s.pkg); floor >= talking || strings.HasSuffix(s.pkg, "test") {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := sel.X.(*ast.Ident); ok && loud[x.Name+"."+sel.Sel.Name] {
					t.Errorf("%s: %s.%s in a library", s.fset.Position(n.Pos()), x.Name, sel.Sel.Name)
				}
			}
			return true
		})
	}
}

func TestSizes(t *testing.T) {
	for _, s := range sources(t) {
		if s.generated {
			continue
		}
		if s.lines > maxFileLines {
			t.Errorf("%s: %d lines, at most %d", s.path, s.lines, maxFileLines)
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := s.fset.Position(f.End()).Line - s.fset.Position(f.Pos()).Line + 1; n > maxFunctionLines {
				t.Errorf("%s: %s has %d lines, at most %d", s.path, f.Name.Name, n, maxFunctionLines)
			}
		}
	}
}

func TestPackageDocs(t *testing.T) {
	docs := map[string]string{}
	for _, s := range sources(t) {
		if s.generated {
			docs[s.pkg] = s.file.Name.Name
			continue
		}
		if s.file.Doc != nil {
			docs[s.pkg] += s.file.Doc.Text()
		} else if _, ok := docs[s.pkg]; !ok {
			docs[s.pkg] = ""
		}
	}
	for pkg, doc := range docs {
		if doc == "" {
			t.Errorf("%s: no package comment", pkg)
		}
	}
}
