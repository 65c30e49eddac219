"""Values that contradict each claim, and that they are tried.

Every chapter has a table below: for each of its claims, in order, a few
words of the sentence and values that contradict it. They are tried while nbval
runs the chapter, in the same kernel (see tests/claims_can_fail.py): what is
tested here is that the tables are complete, and that a claim which cannot
fail is seen. Nothing is left to the weekly run.
"""

import ast

import pytest
import torch

import claims_can_fail

FALSE = {}
LANGUAGES = ("English", "French", "Polish", "Russian", "Chinese")


def tensor(*values):
    return torch.tensor(values, dtype=torch.float64)


NET, LINE = "network, tau = 4", "least squares, tau = 4"
LONG = "least squares, tau = 128"

FALSE["8_1_sequence_models"] = [
    ("in order, the squared error", {"in_order": 0.4}),
    ("the guess with the least", {"best_absolute": -0.2}),
    ("from step 40 to step 160", {"drift": 4.0}),
    ("both give the same probabilities", {"paths": {4: 324, 8: 400}}),
    ("today's weather moves", {"eigenvalues": tensor(0.1, 0.9, 1.0)}),
    ("a chain that swaps", {"tenth": ([0.5, 0.5], [0.5, 0.5])}),
    ("a vowel follows a vowel", {"after_vowel": 0.6}),
    (
        "one step ahead the network beats",
        {
            "beats": {
                ("last value", 1): 20,
                (LINE, 1): 15,
                ("last value", 64): 0,
                ("seasonal naive", 64): 0,
            }
        },
    ),
    ("for the network an interval", {"fixed": [0.9, 0.9, 0.9, 0.9]}),
    ("for least squares with 129", {"seen": [0.9, 0.9, 0.9, 0.9]}),
    (
        "over a full period from",
        {"typical": {"network": 1.1, "long": 0.6}},
    ),
]

SAME = dict.fromkeys((4, 16, 64, 128), 5)
FALSE["8_1a_errors_over_the_horizon"] = [
    (
        "64 steps ahead with a window",
        {"share": {"network": 0.9, "least squares": 0.9}},
    ),
    ("from k = 1 to k = 64", {"low": {4: 1.2, 128: 1.2}}),
    ("64 steps ahead the direct network", {"better": [20, 20, 20, 9]}),
    ("for least squares the gain", {"lines": [{"to": 0.3}] * 4}),
    (
        "at k = 64 feeding back is the",
        {"most": {(k, t): 5 for k in (4, 16, 64) for t in SAME}},
    ),
    (
        "fed back as before",
        {
            "gain": {
                t: {"gain from": 0.1, "direct": 0.5, "through 64": 0.4}
                | {"on 1 step": 0.6}
                for t in SAME
            }
        },
    ),
    ("of the gap in squared error", {"closed": dict.fromkeys(SAME, 0.1)}),
    ("in all 7 settings", {"fewest": 8}),
    ("with ten times the values", {"much": 0.5}),
    (
        "that least squares with tau = 128",
        {"turned": {"as many pairs": 15, "ten times the values": 20}},
    ),
    ("for every window the sum", {"worst": 1e-3}),
    (
        "fed back, least squares",
        {"line_4": {"fed back: bias": 0.1, "fed back: sd": 0.1}},
    ),
    (
        "the networks have standard deviations",
        {"sds": {"fed back": [0.2] * 4, "direct": [0.2] * 4}},
    ),
    ("19 of the 20 networks", {"radii": [0.5, 1.2]}),
    ("in 18 of 20 the same", {"both": 3}),
    ("after 64 steps half", {"share_near": tensor(0.1, 0.2)}),
    ("a window that is moved", {"shrunk": 0.4}),
    ("1 of the 20 runs off", {"unruly": []}),
    ("the logarithm of the error", {"slope": 0.3}),
    ("50 steps ahead the exact rule", {"late": 0.1}),
]

FALSE["8_1b_times_arrow"] = [
    ("sun, cloud, rain, rain", {"backward": 0.007}),
    ("from a sure sun", {"shift": lambda chain: 0.2}),
    ("forwards independence", {"forwards": [1, 20]}),
    (
        "with uniform noise",
        {
            "shown": {
                ("straight", "uniform", 1000): 38,
                ("straight", "uniform", 10000): 38,
                ("tanh", "gaussian", 1000): 0,
                ("tanh", "gaussian", 10000): 0,
            }
        },
    ),
    ("sun yesterday", {"done": 0.125}),
    ("tomorrow is wet", {"wet_forced": 0.25}),
    ("with one added", {"backed": [0.0, -0.1, 0.1, 0.1, 0.1]}),
    ("at 10,000 steps", {"rows_seen": 200}),
    ("where the older item says nothing", {"lost": [0.01, 0.02]}),
    ("after a change at position 4", {"moved": torch.ones(6)}),
]

FALSE["8_2_text_preprocessing"] = [
    ("between spaces the text has", {"clean_types": 10**6}),
    ("are pieces of words such as", {"share": 0.5}),
    ("the text holds", {"words": ["a", "b"]}),
    ("the 100 most frequent", {"once": 0}),
    ("change on the way", {"lost": 1}),
    ("in the smallest example", {"glued": "it was at ten o clock"}),
    ("word boundaries vanish", {"kinds": 0.01}),
    ("the course's stream", {"edition": "another" * 100_000}),
    ("decoding gives them all back", {"decoded": "another"}),
    ("with every training word", {"strange": 3}),
    ("raising min_freq from 1", {"unknown": [0.3, 0.2]}),
    ("the first tenth", {"last_new": 0}),
    ("of the letters of the sentences", {"kept": dict.fromkeys(LANGUAGES, 1)}),
]


FALSE["8_2a_subwords"] = [
    ("are unknown to a vocabulary of words", {"unknown_tokens": 3}),
    (
        "of the held-out words are one token",
        {"sizes": {"words of one token, %": {4000: 60.0}}},
    ),
    (
        "every step to more merges helps",
        {"grid": {0: [4.0, 3.0, 1.9], 50: [4.1, 3.1, 1.8]}},
    ),
    (
        "characters gain",
        {"gain": {0: 0.002, 200: 0.085}},
    ),
    ("on the test part subwords need", {"by_subwords": [1.7]}),
    (
        "the one cut costs",
        {"left": {200: 0.02, 1000: 0.01, 4000: 0.03}},
    ),
    (
        "all cuts added",
        {"whole": {"one cut": 1.828, "all cuts": 1.828}},
    ),
]

FALSE["8_3_language_models"] = [
    ("they multiply to", {"product": 0.5}),
    ("is not in the collection", {"by_bigram": 0.0}),
    ("that start with a known word", {"zeros": 0.1}),
    ("that was seen once, the estimate", {"sure": 174}),
    (
        "over ranks 1 to 100 alpha falls",
        {
            "zipf": {
                ("words", 1): (0.9, 0.88, 0.92),
                ("pairs", 1): (0.6, 0.5, 0.7),
                ("triples", 1): (0.4, 0.3, 0.55),
                ("words", 100): (1.1, 1.0, 1.2),
            }
        },
    ),
    (
        "words seen once to five times",
        {
            "wrong": {
                "add one": [2.8, 1.3],
                "count": [1.6, 0.9],
                "Good-Turing": [1.0, 1.0],
            }
        },
    ),
    ("test characters multiply", {"multiplied": 1e-300}),
    ("the third formula is", {"loss": -0.1}),
    ("test part fall with every order", {"impossible": [0.0] * 7}),
    ("on the test part the network", {"by_descent": 3.28}),
    ("from two places", {"differences": [0.001] * 5 + [0.03]}),
    ("of the book's characters take", {"megabytes": 40.0}),
    (
        "sequential minibatches never take",
        {"gaps": {"drawn": (253, 0), "fixed": (1040, 1008)}},
    ),
    ("gzip, xz, zstd and brotli", {"common": [1.9]}),
    ("that were fitted before", {"before": []}),
]

FALSE["8_3a_counting_in_earnest"] = [
    (
        "that three shuffles of it have",
        {
            "fewer": {
                ("words", 2): (0.8, 0.95),
                ("words", 3): (0.92, 0.93),
                ("characters", 3): (0.3, 0.31),
            }
        },
    ),
    ("pairs counted once lose", {"lost": {r: 0.8 * r for r in range(1, 7)}}),
    ("'traveller' occurs", {"narrow": set(range(40))}),
    ("with nothing tuned", {"two_k": 110.0}),
    ("the better of the two", {"pair_bits": 1.95}),
    ("knowing fewer words", {"illusion": [1.0, 2.0, 3.0, 4.0, 5.0]}),
    ("by hand the same", {"after_t": 0.5}),
    ("the trigram of words needs", {"word_bits": {3: 1.95}}),
    ("of the lead over order 12", {"against_12": (0.0, -0.1, 0.1)}),
    ("the three together need", {"best_counting": 9.9}),
    ("learning all the way", {"learning": {"test": 1.9, "validation": 1.7}}),
    ("with counts of the training part", {"later": 1.9}),
    (
        "the contexts of words are worth",
        {
            "losses": {
                "without words": 0.03,
                "without update exclusion": 0.04,
                "one set of weights": 0.02,
                "orders 1 to 6": 0.001,
            }
        },
    ),
    ("left at 1, the weights of this row", {"gain": 0.2}),
    ("counts that fade help", {"recent": [0.01, 0.01, 0.01]}),
]

FALSE["8_4_recurrent_networks"] = [
    ("the perplexity is", {"geometric": 2.1}),
    ("certain and right", {"wrong": 3.0}),
    ("with a long easy piece", {"hard": (4.0, 4.0, 4.0)}),
    ("runs on two sources", {"above": lambda name: [0.2, 0.2]}),
    ("is nearer the rule than", {"farther": 359}),
    ("of the true source itself", {"noise": 0.001}),
    ("no gradient crosses", {"by_torch": 0.13}),
    ("only the output was trained", {"worse": 20}),
    ("cut to 5 characters the stored", {"lost": {5: [0], 10: [0], 20: [0]}}),
    (
        "Kneser-Ney of order 12, cut",
        {
            "refit": {
                "cut short": {"above full": 0.1},
                "fitted anew": {"above full": 0.1, "standard error": 0.01},
            }
        },
    ),
    ("the passage comes back exactly", {"excess": 0.05}),
    (
        "PPMd needs",
        {
            "files": {
                "Kneser-Ney, order 6": 1500,
                "PPMd": 1400,
                "context mixing, frozen": 1350,
                "context mixing, learning": 1360,
            }
        },
    ),
]

FALSE["8_5_rnn_from_scratch"] = [
    ("the frequencies of the characters alone", {"reached": [28.0] * 60}),
    ("in place of Y.T.flatten()", {"stuck": [9.0]}),
    ("so it is, with the right labels", {"plateau": [12.0]}),
    ("the last two together", {"by_two": 0.5}),
    (
        "on the cliff the gradient",
        {"free": {"longest step": 0.1, "last loss": 0.0, "largest norm": 1.0}},
    ),
    (
        "random starts",
        {"many": {"arrived": 400, "thrown further than 1": 0}},
    ),
    ("in our network, recurrent", {"harm": [(-0.1, 1.0)] * 3}),
    ("blew up, 0 learned nothing", {"nothing": 3}),
    (
        "a smaller rate prevents",
        {"slow": [{"end": "far off", "best": 9.0}]},
    ),
    ("to fire is not to help", {"idle": [12.0]}),
    ("what fails at rate 4", {"shorter": [8.1, 8.2]}),
    (
        "the recipe at rate 1 never",
        {"long": [{"until best": 0.5}]},
    ),
    (
        "ReLU: 0 of 30 runs",
        {
            "lost_relu": {
                (0.16, None): 0,
                (0.16, 1.0): 0,
                (1.0, None): 8,
                (1.0, 1.0): 3,
            }
        },
    ),
    (
        "after 500 epochs the networks of sequential",
        {"two": {"sequential": [[8.0], [12.0]]}},
    ),
    ("random minibatches end at", {"ratios": [0.9]}),
    (
        "at a reported training perplexity of 2",
        {
            "levels": {
                (way, name, number): [16.0]
                for way in ("reported", "alike")
                for name in ("sequential", "random")
                for number in (1, 2)
            }
        },
    ),
    (
        "at their best epochs random",
        {"fast": {"random": [[6.0], [7.0]], "sequential": [[6.3], [7.5]]}},
    ),
    ("counting comes to", {"counted": [6.5, 6.1]}),
    ("at rate 0.25 input weights of 3", {"gone": 0.5}),
    ("with recurrent weights at 1 and rate 1", {"rest": ["blew up"]}),
]

FALSE["8_5a_the_whole_book"] = [
    ("an input scale of 0.1 costs", {"own_rate": [0.01, 0.01, 0.01]}),
    ("without both", {"neither": [0.001] * 3}),
    ("Gaussian for orthogonal", {"masks_apart": [0.1] * 3}),
    ("configurations the best has", {"classic": 1.9}),
    ("one layer needs", {"tests": {1: [2.1], 2: [2.1]}}),
    ("both are within 0.002", {"live": [3.0, 3.0]}),
    ("alone, Kneser-Ney of order 12", {"pairwise": (0.02, 0.01, 0.03)}),
    ("as a partner of the words", {"partner": (-0.01, -0.02, 0.01)}),
    ("added to words and counting", {"added": (0.01, -0.01, 0.03)}),
    ("added to context mixing and words", {"nets": (0.01, -0.01, 0.03)}),
    ("chosen anew at each size", {"gaps": [-0.1]}),
    ("on the ladder: 8 rows", {"off": 0.1}),
    ("the greedy text ends in a loop", {"cycle": lambda text: None}),
    ("the same seed writes", {"again": "another"}),
    ("at a temperature of 1e-6", {"cold": "another"}),
    ("have a better unit", {"gained": []}),
]

FALSE["8_6_summary"] = [
    ("the plain networks need fewer bits", {"better": 1.85}),
    ("through an arithmetic coder", {"alone": 60}),
    ("the notebooks make", {"claims": [{"sentence": "a"}] * 2}),
]

FALSE["a_1_coming_from_d2l"] = [
    ("updates, the two scripts", {"we_write": "time traveller"}),
    ("with copied weights the logits", {"twice": 1.0}),
    ("comparisons are equal", {"same": [True, False]}),
    ("minibatches are equal", {"equal": 111}),
    ("5 gradients and the same", {"gaps": [1e-5] * 11}),
    ("2 are left in d2l's stream", {"with_space": "the timemachine"}),
    ("minibatches every row goes on", {"follows": {"d2l": 3, "unrolled": 0}}),
    ("with 5 steps d2l may start", {"starts": [0, 5]}),
    ("the library refuses 4", {"refused": 3}),
    ("of 2 global generators", {"kept": False}),
    ("1.0's network comes to", {"reads": {100: [6.8, 7.1], 400: [6.5, 6.8]}}),
    ("level with the trigram", {"best": [5.9, 6.8, 6.8]}),
    ("the clip never fires", {"longest": 1.01}),
    ("the trigram of d2l-neu has", {"seventh": 2.1}),
    (
        "a training step is faster",
        {"against": {"d2l, nn.RNN": [0.9], "d2l, scratch": [1.5]}},
    ),
    ("at 256 units the lead", {"on_one": [0.95, 1.3]}),
    ("sequential minibatches are cut", {"grams": {1: 2.0, 2: 2.0}}),
    ("writing 200 characters takes", {"written": [0.4, 1.2]}),
    ("against the library's own", {"loop": [0.9]}),
]

FALSE["a_2_bptt_by_hand"] = [
    ("gradcheck rejects 2 of 2", {"one_step": False}),
    ("less is left ten steps back with", {"falls": [True, False]}),
    ("with input weights of 0.01, 90 steps", {"between": [0.01, 0.5]}),
    ("over 8 epochs the share left", {"up": [True] * 24}),
    ("have a largest singular value below", {"sure": [0.9]}),
    ("the rule is off by", {"by_rule": {0: (0, 9), 4: (0, 50), 8: (1, 2)}}),
    ("with slopes set to 1", {"count": {0: 45, 4: 62, 8: 23}}),
    (
        "windows of 16, 35 and 64 all lie",
        {"large": {1: [2.3], 4: [2.160], 16: [2.165]}},
    ),
    (
        "where gradients reach further at",
        {"small": {window: [2.3] for window in (4, 16, 35, 64, 256)}},
    ),
    ("with 16 rows, every seed", {"ahead": [True, False]}),
    ("a longer window points more", {"steady": False}),
    ("cosines are within two", {"near": 47}),
    ("one passage's noise is", {"noise": [1.0]}),
]

FALSE["a_3_after_rnns"] = [
    ("have lost half within two steps", {"short": 0}),
    ("stored networks, scored here", {"off": 0.1}),
    ("under the equal budget three seeds", {"kneser_ney": 1.96}),
    ("of five settings the GRU needs", {"cared": [1.99]}),
    ("sizes counting needs fewer", {"least_lead": -0.1}),
    ("networks gains by learning", {"saved": {"GRU": -0.01}}),
    ("trained from the start on training", {"anew": [1.9]}),
    ("four times its best rate", {"too_fast": {"GRU": -0.01, "LSTM": 1.0}}),
    ("from the memory there", {"by_memory": 0.0}),
    ("a memory of the training part saves each", {"ahead": [3]}),
    ("below the aim of", {"least": 1.9}),
    ("Kneser-Ney mixed with it saves", {"gap": {"transformer": 1.0}}),
    ("by states from before training", {"gated_by": [0.01, 0.02]}),
    ("alone already fewer than each", {"by_mixing": [1.9] * 6}),
    (
        "from three seeds each, the memory",
        {"by_seed": {"GRU": [-0.1] * 3, "LSTM": [1.0] * 3}},
    ),
    ("the finished mixture that learns needs", {"alone": 1.7}),
    ("of single parts context mixing", {"small": 0.5}),
    ("the memories are worth", {"only": 1.9}),
    ("ahead as it enters here", {"entering": -0.1}),
    ("bits that learning saves in all", {"networks_learn": 1.0}),
    ("networks as inputs of context mixing", {"inputs": 1.7}),
]

FALSE["a_4_distributed"] = [
    ("after 50 updates with SGD and with Adam", {"gaps": [2e-6]}),
    ("a process that is killed or hangs ends", {"off": 1e-8}),
    ("over 4 epochs of the book", {"ratios": [1.0, 1.002]}),
    ("the second process pays at", {"gain": {"512 units": 2.5}}),
    ("the two processes together send", {"excess": [1.6]}),
    ("each doubling of the rows takes more", {"fewer_updates": False}),
    ("each at the best of 5 rates", {"longer": 5.0}),
    ("at the rate 0.016", {"arrived": {32: 3, 256: 3}}),
]

FALSE["a_5_classic_exercises"] = [
    ("windows the one of 16 has", {"best_tau": 64}),
    ("without noise least squares", {"exact": {1: 0.01, 2: 1.0}}),
    ("four means of 4, 16 and 32", {"better": [20, 20, 3]}),
    ("networks and lengths of training", {"ahead_of_line": ["one"]}),
    ("in a random walk the chosen", {"twice": 0.0}),
    ("swapping words inside pairs", {"most": 1.0}),
    ("windows of up to 9 bits", {"by_state": [0.9] * 3}),
]

FALSE["a_5_1_text_and_data"] = [
    ("characters, subwords and words", {"spread": 1.0}),
    ("min_freq = 2 drops", {"kinds": [100] * 5}),
    ("the story has", {"letters": ({"a"}, {"b"})}),
    ("texts alpha falls from words", {"falls": [True, False]}),
    ("the story lies outside", {"beyond": [1.0] * 3}),
    ("all orders together", {"per_word": [1.0, 2.0, 3.0]}),
    ("sources a mark at each turn", {"heard": [0.0] * 3}),
    ("ways of reading and 3 seeds", {"within": 0.5}),
    ("in 200 passes a fixed offset", {"fewest": 3}),
    (
        "for random windows a fixed offset",
        {"costs": {"random": [-0.1], "sequential": [-0.1]}},
    ),
    ("are read at all 35 offsets", {"covered": [5] * 10}),
    ("over all offsets, each of", {"most_often": 2}),
    ("of the minibatches is padding", {"apart": [1.0] * 3}),
]

FALSE["a_5_2_networks"] = [
    ("texts of 5 and of 50 tokens", {"shapes": {27}}),
    ("one other character moves", {"means": [1, 2, 3, 4, 5, 6, 7]}),
    (
        "a character that is changed five",
        {"effect": {"from zeros": 0.1, "carried on": 0.1}},
    ),
    ("in a window of 35 the number", {"prefix_effect": 0.0}),
    ("the product and the rows", {"touched": [1]}),
    ("an embedding of 32 with inputs", {"left": [0.3] * 3}),
    (
        "story predicts story with",
        {
            "by_story": {
                "end of the story": 9.9,
                "end of the book": 9.9,
            }
        },
    ),
    ("on the story the three models", {"lost": [0.1, 0.5]}),
    (
        "greedily",
        {"own": {"words of the book": 1.0, "passages written once": 0.1}},
    ),
    ("p to the power of alpha", {"off": 1.0}),
    ("with the clip the worst epoch", {"clipped": [30.0]}),
    ("of 6 networks with ReLU", {"relu": (0, 0)}),
    (
        "one layer of torch.nn.RNN comes",
        {"adam_one": {"train": [3.0], "best": [3.0], "last": [3.0]}},
    ),
    ("two layers are better on new text", {"in_order": False}),
    ("one step ahead the RNN beats", {"far_wins": 20}),
]

FALSE["a_5_3_gradients"] = [
    ("for k = 2, 3 and 10", {"gaps": [1.0]}),
    ("the bound holds for each", {"kept": False}),
    ("two random errors have", {"left": 1.0}),
    ("without detach there is", {"errors": 1}),
    ("through 2 and 4 minibatches", {"gains": [1.0]}),
    ("changes", {"failing": []}),
]


def test_there_is_an_entry_for_each_claim(notebook_path, notebook):
    claims = [
        statement.value.args[0]
        for cell in notebook.cells
        if cell.cell_type == "code"
        for statement in ast.parse(cell.source).body
        if claims_can_fail.is_claim(statement)
    ]
    entries = FALSE.get(notebook_path.stem, [])
    assert len(entries) == len(claims) > 0, (
        f"{notebook_path.name} has {len(claims)} claims, its table "
        f'FALSE["{notebook_path.stem}"] in {claims_can_fail.WHERE} '
        f"{len(entries)} entries. Each claim has one, in the page's order: "
        '("words of the sentence", {"name": a value that makes it false}). '
        f"The claims: {'; '.join(map(ast.unparse, claims))}"
    )


def run(source, entries):
    """Run a cell's source as a kernel would that was armed with entries."""
    names = {}
    names["claim"] = lambda sentence, holds: None
    tree = claims_can_fail.BeforeClaims().visit(ast.parse(source))
    names[claims_can_fail.NAME] = claims_can_fail.tries("x", entries, names)
    exec(compile(tree, "cell", "exec"), names)


TWO = "n = 1\nclaim(f'n is {n}', n < 2)\nn = 5\nclaim('n grows', n > 4)"


def test_claims_that_can_fail_pass():
    # each is tried with the values at its own place
    run(TWO, [("n is 1", {"n": 2}), ("n grows", {"n": 4})])


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        (None, "Claim 1 of x: 'n is 1'. There is no entry for it"),
        ([("n is 1", {"n": 2})], "Claim 2 of x: 'n grows'. There is no entry"),
        (
            [("n grows", {"n": 4}), ("n is 1", {"n": 2})],
            "Claim 1 of x: 'n is 1'. At its place .* the entry .'n grows'",
        ),
        (
            [("n is 1", {"m": 2})],
            "to m, but the notebook has no such variable",
        ),
        ([("n is 1", {"n": 0})], "It still holds .* Condition: n < 2"),
        ([("n is 1", {})], "It still holds"),
    ],
)
def test_a_claim_without_values_that_contradict_it(entries, words):
    with pytest.raises(AssertionError, match=words) as caught:
        run(TWO, entries)
    assert 'FALSE["x"] in tests/notebooks/test_false_claims.py' in str(
        caught.value
    )
