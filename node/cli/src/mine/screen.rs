//! The miner on the whole terminal: servers, devices, and the last things that happened.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use pyrite_miner::MinerStatus;
use ratatui::crossterm::event::{self, KeyCode, KeyEventKind, KeyModifiers};
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Row, Table};
use ratatui::{DefaultTerminal, Frame};

use super::event::Event;
use super::remote_work::{RemoteWork, ServerView};
use super::view::{View, blocks_text, device_text, event_text, print_line, rate_text, status_text};

/// How often it is drawn.
const REDRAW_EVERY: Duration = Duration::from_millis(500);

/// The events that are kept to be shown.
const MAX_EVENTS: usize = 200;

/// Columns of the devices' table.
const HEADS: [&str; 7] = [
    "device",
    "10 s",
    "1 min",
    "15 min",
    "hashes",
    "false nonces",
    "state",
];

/// The whole terminal.
pub(super) struct ScreenView {
    terminal: DefaultTerminal,
    drawn: Option<Instant>,
    events: VecDeque<String>,
}

impl ScreenView {
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            terminal: ratatui::try_init().context("can't use the terminal")?,
            drawn: None,
            events: VecDeque::new(),
        })
    }
}

impl Drop for ScreenView {
    fn drop(&mut self) {
        // Nothing is left to be done where it fails.
        let _ = ratatui::try_restore();
    }
}

impl View for ScreenView {
    fn event(&mut self, event: &Event) -> Result<()> {
        if self.events.len() == MAX_EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(event_text(event));
        Ok(())
    }

    fn show(
        &mut self,
        status: &MinerStatus,
        work: &RemoteWork,
        now: Instant,
    ) -> Result<ControlFlow<()>> {
        while event::poll(Duration::ZERO)? {
            if is_quit(&event::read()?) {
                return Ok(ControlFlow::Break(()));
            }
        }
        let is_due = self
            .drawn
            .is_none_or(|drawn| now.duration_since(drawn) >= REDRAW_EVERY);
        if is_due {
            self.drawn = Some(now);
            let events = &self.events;
            self.terminal
                .draw(|frame| draw(frame, status, work, events))?;
        }
        Ok(ControlFlow::Continue(()))
    }

    fn end(&mut self, _status: &MinerStatus, work: &RemoteWork) -> Result<()> {
        ratatui::try_restore().context("can't restore the terminal")?;
        print_line(&blocks_text(work))
    }
}

fn is_quit(event: &event::Event) -> bool {
    // In raw mode Ctrl-C is a key, not a signal.
    matches!(event, event::Event::Key(key) if key.kind == KeyEventKind::Press
        && (key.code == KeyCode::Char('q')
            || key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL)))
}

fn draw(frame: &mut Frame<'_>, status: &MinerStatus, work: &RemoteWork, events: &VecDeque<String>) {
    let servers = work.server_views();
    let height = |rows: usize| Constraint::Length(u16::try_from(rows).unwrap_or(u16::MAX));
    let [title, server_area, device_area, event_area] = Layout::vertical([
        Constraint::Length(3),
        height(servers.len().saturating_add(1)),
        height(status.devices.len().saturating_add(3)),
        Constraint::Min(0),
    ])
    .areas(frame.area());
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let heading = vec![
        Line::styled(
            format!("Pyrite miner for {}: q ends it", work.address),
            bold,
        ),
        Line::from(status_text(status, work)),
    ];
    frame.render_widget(Paragraph::new(heading), title);
    let lines: Vec<_> = servers.iter().map(server_line).collect();
    frame.render_widget(Paragraph::new(lines), server_area);
    frame.render_widget(devices(status, bold), device_area);
    let room = usize::from(event_area.height);
    let skip = events.len().saturating_sub(room);
    let lines: Vec<_> = events
        .iter()
        .skip(skip)
        .map(|text| Line::from(text.as_str()))
        .collect();
    frame.render_widget(Paragraph::new(lines), event_area);
}

fn server_line(server: &ServerView) -> Line<'static> {
    match (&server.trouble, server.is_current) {
        (Some(trouble), _) => Line::styled(
            format!("  {}: {trouble}", server.url),
            Style::new().fg(Color::Red),
        ),
        (None, true) => Line::styled(format!("> {}", server.url), Style::new().fg(Color::Green)),
        (None, false) => Line::from(format!("  {} stands ready", server.url)),
    }
}

fn devices(status: &MinerStatus, bold: Style) -> Table<'static> {
    let rates = [
        status.hash_rate_10s,
        status.hash_rate_1m,
        status.hash_rate_15m,
    ]
    .map(rate_text);
    let [ten_seconds, minute, quarter] = rates;
    let total = [
        "all".to_owned(),
        ten_seconds,
        minute,
        quarter,
        status.hashes_total.to_string(),
        String::new(),
        String::new(),
    ];
    let rows = status.devices.iter().map(|device| {
        [
            device.name.clone(),
            rate_text(device.hash_rates.ten_seconds),
            rate_text(device.hash_rates.one_minute),
            rate_text(device.hash_rates.fifteen_minutes),
            device.hashes.to_string(),
            device.false_nonces.to_string(),
            device_text(device),
        ]
    });
    let rows: Vec<[String; HEADS.len()]> = rows.chain([total]).collect();
    let widths: Vec<_> = (0..HEADS.len())
        .map(|column| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            let widest = cells.chain([HEADS[column].len()]).max().unwrap_or(0);
            Constraint::Length(u16::try_from(widest).unwrap_or(u16::MAX))
        })
        .collect();
    Table::new(rows.into_iter().map(Row::new), widths)
        .header(Row::new(HEADS).style(bold))
        .column_spacing(2)
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;
    use crate::mine::server::Server;

    #[test]
    fn the_screen_shows_servers_devices_and_events() {
        let server = Server::parse("http://u:secret@127.0.0.1:1", None).unwrap();
        let work = RemoteWork::new(vec![server], "address".to_owned(), Default::default());
        let events = VecDeque::from(["something happened".to_owned()]);
        let mut terminal = Terminal::new(TestBackend::new(100, 14)).unwrap();
        terminal
            .draw(|frame| draw(frame, &MinerStatus::default(), &work, &events))
            .unwrap();
        let text = terminal.backend().to_string();
        for words in [
            "miner for address",
            "http://127.0.0.1:1/: asking",
            "15 min",
            "something happened",
        ] {
            assert!(text.contains(words), "{text}");
        }
        assert!(!text.contains("secret"), "{text}");
    }
}
