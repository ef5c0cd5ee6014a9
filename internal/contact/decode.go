package contact

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

const (
	longestLine = 1 << 20 // bytes
	sniffBytes  = 4096
)

// lines gives the physical lines of a file in bounded memory, as UTF-8. UTF-16 is seen from the first bytes;
// between UTF-8 and Windows-1252 each line decides by itself, because a file may have gone through both and a
// gigabyte can't be looked through first.
type lines struct {
	reader *bufio.Reader
	number int
	buffer []byte
}

// line is one physical line without its end.
type line struct {
	text    []byte
	number  int  // from 1
	tooLong bool // the rest of it was passed over
}

func newLines(file io.Reader) *lines {
	reader := bufio.NewReaderSize(file, 64<<10)
	start, _ := reader.Peek(sniffBytes) // an error comes again at the first read
	switch {
	case bytes.HasPrefix(start, []byte{0xef, 0xbb, 0xbf}):
		_, _ = reader.Discard(3)
	case bytes.HasPrefix(start, []byte{0xff, 0xfe}), bytes.HasPrefix(start, []byte{0xfe, 0xff}):
		reader = decoded(reader, unicode.UTF16(unicode.BigEndian, unicode.UseBOM))
	case mostlyZero(start, 1):
		reader = decoded(reader, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM))
	case mostlyZero(start, 0):
		reader = decoded(reader, unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM))
	}
	return &lines{reader: reader}
}

func decoded(reader io.Reader, from encoding.Encoding) *bufio.Reader {
	return bufio.NewReaderSize(from.NewDecoder().Reader(reader), 64<<10)
}

// mostlyZero tells UTF-16 without a mark: of Latin text, every second byte is zero.
func mostlyZero(start []byte, from int) bool {
	zeros := 0
	for i := from; i < len(start); i += 2 {
		if start[i] == 0 {
			zeros++
		}
	}
	return len(start) >= 4 && zeros > len(start)/8
}

// next returns the next line, or io.EOF. A line longer than a mebibyte comes cut and marked.
func (l *lines) next() (line, error) {
	read, begun := line{number: l.number + 1}, false
	l.buffer = l.buffer[:0]
	for {
		b, err := l.reader.ReadByte()
		if errors.Is(err, io.EOF) && begun {
			break
		}
		if err != nil {
			return line{}, err
		}
		begun = true
		if b == '\n' {
			break
		}
		if b == '\r' {
			if after, _ := l.reader.Peek(1); len(after) == 1 && after[0] == '\n' {
				_, _ = l.reader.ReadByte()
			}
			break
		}
		if read.tooLong = read.tooLong || len(l.buffer) >= longestLine; !read.tooLong {
			l.buffer = append(l.buffer, b)
		}
	}
	l.number++
	read.text = toUTF8(bytes.Clone(l.buffer))
	return read, nil
}

func toUTF8(text []byte) []byte {
	if utf8.Valid(text) {
		return text
	}
	decoded, err := charmap.Windows1252.NewDecoder().Bytes(text)
	if err != nil {
		return bytes.ToValidUTF8(text, []byte("\uFFFD"))
	}
	return decoded
}
