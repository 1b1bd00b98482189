package inputs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// Folder returns the pictures of a folder. If it has folders in it, those are
// classes, named by a label or its number, and labels has the class of every
// item; otherwise labels is nil. Items of the classes alternate, so that the
// first of them are a fair sample.
func (r *Reader) Folder(dir string, names []string) (items []Item, labels []int, err error) {
	items, labels, err = r.folder(dir, names)
	if err != nil {
		return nil, nil, fmt.Errorf("inputs: %s: %w", dir, plainPath(err))
	}
	return items, labels, nil
}

func (r *Reader) folder(dir string, names []string) ([]Item, []int, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, err
	}
	var classes []int
	var rows [][]Item
	for _, e := range entries {
		if !e.IsDir() || e.Name()[0] == '.' {
			continue
		}
		class, err := classOf(e.Name(), names)
		if err != nil {
			return nil, nil, err
		}
		row, err := r.pictures(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, nil, err
		}
		classes, rows = append(classes, class), append(rows, row)
	}
	if classes == nil {
		items, err := r.pictures(dir)
		if err == nil && len(items) == 0 {
			err = errors.New("no picture or DICOM file in it")
		}
		return items, nil, err
	}
	items, labels := alternate(rows, classes)
	if len(items) == 0 {
		return nil, nil, errors.New("no picture or DICOM file in its folders")
	}
	return items, labels, nil
}

// pictures returns the pictures and DICOM files right in a folder, in order of
// their names.
func (r *Reader) pictures(dir string) ([]Item, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var items []Item
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if e.IsDir() || e.Name()[0] == '.' || !isPicture(path) && !isDicom(path) {
			continue
		}
		item, err := r.Items(path)
		if err != nil {
			return nil, err
		}
		items = append(items, item...)
	}
	return items, nil
}

// classOf returns the class that a folder's name means.
func classOf(name string, names []string) (int, error) {
	if i := slices.Index(names, name); i >= 0 {
		return i, nil
	}
	if n, err := strconv.ParseUint(name, 10, 31); err == nil {
		return int(n), nil
	}
	if len(names) == 0 {
		return 0, fmt.Errorf("folder %q is not the number of a class: name the classes in the record's labels, or the folders 0, 1, 2 and so on", name)
	}
	return 0, fmt.Errorf("folder %q is none of the labels %q, nor a number", name, names)
}

// alternate takes one item of every class after another.
func alternate(rows [][]Item, classes []int) (items []Item, labels []int) {
	for i := 0; ; i++ {
		before := len(items)
		for c, row := range rows {
			if i < len(row) {
				items, labels = append(items, row[i]), append(labels, classes[c])
			}
		}
		if len(items) == before {
			return items, labels
		}
	}
}
