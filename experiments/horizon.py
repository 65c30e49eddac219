"""Runs that could refute what 8.1a says about feeding back, and their results.

    python experiments/horizon.py        (about ten minutes on one core)

The page shows the grid of every model, window and horizon. Here is what is
changed about it, one thing at a time: longer training, more values, other
noise, more hidden units, as many pairs for both, training through the fed
back steps. All at k = 64, on the same twenty series; the results go to the
library's data folder.
"""

import torch

from storing import DATA, store
from unrolled.course.several import fit_lines, fit_networks, train_networks
from unrolled.horizon import (
    best_forecasts,
    fed_back,
    pairs,
    windows_before,
)
from unrolled.series import noisy_sine

STORED = DATA / "horizon.json"
KNOWN, K, TAUS, NUM_SERIES = 604, 64, (4, 16, 64, 128), 20
PERIOD = 628  # targets: one full period, as on the page


def seeded(seed: int) -> torch.Generator:
    """A generator of its own."""
    return torch.Generator().manual_seed(seed)


class Setting:
    """Series that are known up to a point, and one period of targets."""

    def __init__(self, num_series, *, known=KNOWN, sigma=0.2):
        """Draw the series, from seeds 0, 1, ..."""
        self.known, self.num_series = known, num_series
        self.targets = torch.arange(known + 68, known + 68 + PERIOD)
        drawn = [
            noisy_sine(
                known + 68 + PERIOD, sigma=sigma, generator=seeded(seed)
            )
            for seed in range(num_series)
        ]
        self.sigma, self.clean = sigma, drawn[0][1]
        self.noisy = torch.stack([noisy for _, _, noisy in drawn])

    def generators(self):
        """One for the network of each series."""
        return [seeded(100 + seed) for seed in range(self.num_series)]

    def rmse(self, forecasts):
        """Against the clean wave, one for each series, in four digits."""
        error = forecasts - self.clean[self.targets]
        return [round(r, 4) for r in error.square().mean(1).sqrt().tolist()]

    def fit(self, model, tau, k, *, extra=0, **settings):
        """A model of the known values (and of some more)."""
        features, labels = pairs(self.noisy[:, : self.known + extra], tau, k)
        if model == "least squares":
            return fit_lines(features, labels)
        return fit_networks(features, labels, self.generators(), **settings)

    def both(self, model, tau, *, extra=0, **settings):
        """RMSE at k = 64, fed back and direct."""
        window = windows_before(self.noisy, tau, K, self.targets)
        one_step = self.fit(model, tau, 1, **settings)
        jump = self.fit(model, tau, K, extra=extra, **settings)
        return {
            "fed back": self.rmse(fed_back(one_step, window, K)[-1]),
            "direct": self.rmse(jump(window)),
        }

    def floor(self, tau):
        """RMSE at k = 64 of the best possible forecast."""
        window = windows_before(self.noisy, tau, K, self.targets)
        best = best_forecasts(window, K, sigma=self.sigma)
        return self.rmse(best[..., -1])

    def through(self, tau, num_steps, num_epochs):
        """RMSE of networks trained on, through num_steps fed back steps."""
        start = self.fit("network", tau, 1)
        known = self.noisy[:, : self.known]
        features, _ = pairs(known, tau, num_steps)
        n = features.shape[1]
        labels = torch.stack(
            [pairs(known, tau, k)[1][:, :n] for k in range(1, num_steps + 1)]
        )
        trained = train_networks(
            start,
            features,
            labels,
            self.generators(),
            learning_rate=0.003,
            num_epochs=num_epochs,
        )
        window = windows_before(self.noisy, tau, K, self.targets)
        return self.rmse(fed_back(trained, window, K)[-1])

    def direct_longer(self, tau, num_epochs):
        """RMSE of direct networks, trained on as those of ``through``."""
        features, labels = pairs(self.noisy[:, : self.known], tau, K)
        trained = train_networks(
            self.fit("network", tau, K),
            features,
            labels[None],
            self.generators(),
            learning_rate=0.003,
            num_epochs=num_epochs,
        )
        return self.rmse(
            trained(windows_before(self.noisy, tau, K, self.targets))
        )


def runs(num_series=NUM_SERIES, taus=TAUS, longest=100, through=10):
    """Every run: {case: {model and window: {way: RMSE of each series}}}."""
    usual = Setting(num_series)
    much = Setting(num_series, known=10 * KNOWN)
    calm = Setting(num_series, sigma=0.05)
    nets = {f"network, {tau}": ("network", tau) for tau in taus}
    lines = {f"least squares, {t}": ("least squares", t) for t in taus}
    every = nets | lines

    def grid(setting, models, **settings):
        return {
            name: setting.both(*model, **settings)
            for name, model in models.items()
        }

    found = {
        "as on the page": grid(usual, every),
        "25 epochs": grid(usual, nets, num_epochs=25),
        f"{longest} epochs": grid(usual, nets, num_epochs=longest),
        "50 hidden units": grid(usual, nets, num_hiddens=50),
        "ten times the values": grid(much, every),
        "as many updates": grid(usual, nets, num_epochs=50),
        "a quarter of the noise": grid(calm, every),
        "as many pairs": grid(usual, lines, extra=K - 1),
        "trained through": {
            name: {
                f"{through} epochs on 64 steps": usual.through(
                    tau, K, through
                ),
                f"{through} epochs on 1 step": usual.through(tau, 1, through),
                f"{through} epochs, direct": usual.direct_longer(tau, through),
            }
            for name, (_, tau) in nets.items()
        },
    }
    for case, setting in (
        ("as on the page", usual),
        ("ten times the values", much),
        ("a quarter of the noise", calm),
    ):
        for tau in taus:
            found[case][f"floor, {tau}"] = {"": setting.floor(tau)}
    return found


def main() -> None:
    """Run everything and store it."""
    content = {
        "known": KNOWN,
        "k": K,
        "series": NUM_SERIES,
        "runs": runs(),
    }
    store(STORED, content)


if __name__ == "__main__":
    torch.set_default_dtype(torch.float64)
    main()
