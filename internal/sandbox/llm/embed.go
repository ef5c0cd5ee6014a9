package llm

import (
	"math"
	"strings"
	"unicode"
)

// vector returns a unit vector of a text: a bag of its words, pairs of words and word beginnings, each hashed to
// a place and a sign. Texts that share words are near, others are nearly at right angles.
func vector(text string, dimensions int) []float32 {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	sum := make([]float64, dimensions)
	add := func(feature string, weight float64) {
		h := hash(feature)
		if h>>63 == 1 {
			weight = -weight
		}
		sum[h%uint64(dimensions)] += weight
	}
	for i, word := range words {
		add("w "+word, 1)
		if runes := []rune(word); len(runes) > 4 {
			add("b "+string(runes[:4]), 0.7) // so that order and orders are near
		}
		if i > 0 {
			add("p "+words[i-1]+" "+word, 0.5)
		}
	}
	if len(words) == 0 {
		add("empty "+text, 1)
	}
	length := 0.0
	for _, value := range sum {
		length += value * value
	}
	values := make([]float32, dimensions)
	for i, value := range sum {
		values[i] = float32(value / math.Max(math.Sqrt(length), 1e-9))
	}
	return values
}
