"""gensim: word vectors, topic models, phrases, dictionaries, similarities: saved by themselves and pickled."""

from __future__ import annotations

import pickle
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gensim import corpora, models, similarities

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODULES = ("gensim",)
_TEXTS = 10 * [
    ["human", "interface", "computer"],
    ["survey", "user", "computer", "system"],
    ["graph", "trees", "human"],
]


def _subjects() -> dict[str, Callable[[], Any]]:
    words = corpora.Dictionary(_TEXTS)
    bags = [words.doc2bow(text) for text in _TEXTS]
    small: dict[str, Any] = {"vector_size": 8, "min_count": 1}
    tagged = [models.doc2vec.TaggedDocument(text, [place]) for place, text in enumerate(_TEXTS)]
    return {
        "dictionary": lambda: words,
        "word2vec": lambda: models.Word2Vec(_TEXTS, **small),
        "word2vec-tree": lambda: models.Word2Vec(_TEXTS, hs=1, negative=0, **small),
        "vectors": lambda: models.Word2Vec(_TEXTS, **small).wv,
        "fasttext": lambda: models.FastText(_TEXTS, bucket=100, **small),
        "doc2vec": lambda: models.Doc2Vec(tagged, **small),
        "lda": lambda: models.LdaModel(bags, id2word=words, num_topics=2),
        "authors": lambda: models.AuthorTopicModel(bags, num_topics=2, id2word=words, author2doc={"a": [0, 1]}),
        "lsi": lambda: models.LsiModel(bags, id2word=words, num_topics=2),
        "hdp": lambda: models.HdpModel(bags, words),
        "nmf": lambda: models.Nmf(bags, num_topics=2, id2word=words),
        "tfidf": lambda: models.TfidfModel(bags),
        "bm25": lambda: models.OkapiBM25Model(corpus=bags),
        "projections": lambda: models.RpModel(bags),
        "entropy": lambda: models.LogEntropyModel(bags),
        "phrases": lambda: models.Phrases(_TEXTS, min_count=1, threshold=1),
        "frozen-phrases": lambda: models.Phrases(_TEXTS, min_count=1, threshold=1).freeze(),
        "similarities": lambda: similarities.MatrixSimilarity(bags, num_features=len(words)),
        "sparse-similarities": lambda: similarities.SparseMatrixSimilarity(bags, num_features=len(words)),
    }


def files(chosen: Callable[[str], bool]) -> Iterator[tuple[str, bytes | Path | str]]:
    """Yield each pickled, and the folder that it saves itself in, with its arrays apart."""
    with tempfile.TemporaryDirectory() as scratch:
        for name, make in _subjects().items():
            if chosen(name):
                made = make()
                yield f"{name}.pkl", pickle.dumps(made)
                folder = Path(scratch) / name
                folder.mkdir()
                made.save(str(folder / "model"), sep_limit=1)
                yield name, folder
